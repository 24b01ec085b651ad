INSERT INTO console_session (session_id, seen_at, body) VALUES (%(session_id)s, %(seen_at)s, %(body)s)
ON CONFLICT (session_id) DO UPDATE SET seen_at = excluded.seen_at, body = excluded.body
