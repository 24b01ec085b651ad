SELECT seq, event_id, source, type, at, stream, stream_version, data, actor, correlation_id, causation_id, schema_version,
       pre, post, policy_versions, flags, recorded_at, prev_hash, hash
FROM event
WHERE seq = (SELECT seq FROM event_key WHERE event_id = %(event_id)s)
