INSERT INTO access_password (password_hash)
VALUES (%(password_hash)s)
ON CONFLICT DO NOTHING
