INSERT INTO api_token (name, token_hash, body) VALUES (%(token_name)s, %(token_hash)s, %(body)s) ON CONFLICT DO NOTHING
