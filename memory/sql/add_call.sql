INSERT INTO model_call (cache_key, engine, model, cost, at)
VALUES (%(cache_key)s, %(engine)s, %(model)s, %(cost)s, %(at)s)
