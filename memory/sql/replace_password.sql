UPDATE access_password
SET password_hash = %(password_hash)s
WHERE password_hash = %(replaces)s
