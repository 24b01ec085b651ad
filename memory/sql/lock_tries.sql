INSERT INTO access_try (client, failures, last)
VALUES (%(client)s, 0, %(now)s)
ON CONFLICT (client) DO UPDATE SET failures = access_try.failures
RETURNING failures, last
