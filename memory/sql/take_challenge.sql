DELETE FROM access_challenge
WHERE digest = %(digest)s
RETURNING digest, purpose, session_id, rp_id, expires_at
