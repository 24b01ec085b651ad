INSERT INTO model_answer (cache_key, answer)
VALUES (%(cache_key)s, %(answer)s)
ON CONFLICT (cache_key) DO UPDATE SET answer = excluded.answer
