SELECT seq, event_id, source, type, at, stream, stream_version, data, actor, correlation_id, causation_id, schema_version,
       pre, post, policy_versions, flags, recorded_at, prev_hash, hash
FROM event
WHERE correlation_id = %(correlation_id)s AND correlation_id <> '' AND seq > %(after)s AND (%(stream)s = '' OR stream = %(stream)s)
ORDER BY seq
LIMIT %(limit)s
