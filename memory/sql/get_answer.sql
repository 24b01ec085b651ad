SELECT answer FROM model_answer WHERE cache_key = %(cache_key)s
