INSERT INTO access_token (token_hash, name, scopes, created_at, expires_at, used_at, revoked_at)
VALUES (%(token_hash)s, %(name)s, %(scopes)s, %(created_at)s, %(expires_at)s, %(used_at)s, %(revoked_at)s)
ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING
