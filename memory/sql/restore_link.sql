UPDATE decision_link SET used_at = NULL WHERE token_hash = %(token_hash)s
