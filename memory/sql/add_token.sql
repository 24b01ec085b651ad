INSERT INTO api_token (name, token_hash, body) VALUES (%(name)s, %(token_hash)s, %(body)s) ON CONFLICT DO NOTHING
