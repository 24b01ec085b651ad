UPDATE api_token SET body = %(body)s WHERE name = %(name)s
