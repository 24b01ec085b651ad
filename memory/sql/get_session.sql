SELECT session_id, csrf, opened_at, seen_at, expires_at, proven_at, flash
FROM access_session
WHERE session_id = %(session_id)s
