SELECT name, token_hash, scopes, created_at, expires_at, used_at, revoked_at
FROM access_token
WHERE token_hash = %(token_hash)s
