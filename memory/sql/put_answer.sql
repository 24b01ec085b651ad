INSERT INTO model_answer (cache_key, answer, at)
VALUES (%(cache_key)s, %(answer)s, %(at)s)
ON CONFLICT (cache_key) DO UPDATE SET answer = excluded.answer, at = excluded.at
