INSERT INTO access_challenge (digest, purpose, session_id, rp_id, expires_at)
VALUES (%(digest)s, %(purpose)s, %(session_id)s, %(rp_id)s, %(expires_at)s)
