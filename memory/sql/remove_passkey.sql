DELETE FROM access_passkey WHERE name = %(name)s
