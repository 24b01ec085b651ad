DELETE FROM access_challenge WHERE expires_at <= %(now)s
