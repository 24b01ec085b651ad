INSERT INTO access_session (session_id, csrf, opened_at, seen_at, expires_at, proven_at, flash)
VALUES (%(session_id)s, %(csrf)s, %(opened_at)s, %(seen_at)s, %(expires_at)s, %(proven_at)s, %(flash)s)
