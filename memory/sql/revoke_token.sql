UPDATE access_token
SET revoked_at = %(at)s
WHERE name = %(name)s AND revoked_at IS NULL
