SELECT body FROM api_token WHERE token_hash = %(token_hash)s
