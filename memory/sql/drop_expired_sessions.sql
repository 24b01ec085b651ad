DELETE FROM access_session WHERE expires_at <= %(now)s
