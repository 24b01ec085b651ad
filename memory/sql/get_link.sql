SELECT token_hash, approval_id, digest, issued_at, expires_at, used_at FROM decision_link WHERE token_hash = %(token_hash)s
