UPDATE decision_link SET used_at = %(now)s WHERE token_hash = %(token_hash)s AND used_at IS NULL AND expires_at > %(now)s
