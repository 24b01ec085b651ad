UPDATE api_token SET body = %(body)s WHERE name = %(token_name)s
