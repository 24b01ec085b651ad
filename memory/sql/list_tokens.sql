SELECT body FROM api_token ORDER BY name
