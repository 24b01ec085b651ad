SELECT seq, event_id, source, type, at, stream, stream_version, data, actor, correlation_id, causation_id, schema_version,
       pre, post, policy_versions, flags, recorded_at, prev_hash, hash
FROM event
WHERE (%(before)s::bigint IS NULL OR seq < %(before)s)
  AND (%(kind)s = '' OR starts_with(stream, %(kind)s))
  AND (%(event_id)s::uuid IS NULL OR seq = (SELECT seq FROM event_key WHERE event_id = %(event_id)s))
  AND (%(type)s = '' OR starts_with(type, %(type)s))
  AND (cardinality(%(types)s::text[]) = 0 OR type = ANY(%(types)s))
  AND (%(stream)s = '' OR stream = %(stream)s)
  AND (%(run)s = '' OR correlation_id = %(run)s)
  AND (%(actor)s = '' OR actor = %(actor)s)
  AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
ORDER BY seq DESC
LIMIT %(limit)s
