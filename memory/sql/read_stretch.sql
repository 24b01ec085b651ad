SELECT seq, event_id, source, type, at, stream, stream_version, data, actor, correlation_id, causation_id, schema_version,
       pre, post, policy_versions, flags, recorded_at, prev_hash, hash
FROM event
WHERE seq > %(after)s AND seq < %(before)s
ORDER BY seq
