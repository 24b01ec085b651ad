UPDATE access_session
SET seen_at = %(seen_at)s, proven_at = %(proven_at)s, flash = %(flash)s
WHERE session_id = %(session_id)s
