UPDATE access_token
SET used_at = %(at)s
WHERE token_hash = %(token_hash)s
