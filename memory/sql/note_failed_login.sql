INSERT INTO login_tries (client, failures, last) VALUES (%(client)s, 1, %(at)s)
ON CONFLICT (client) DO UPDATE SET failures = login_tries.failures + 1, last = excluded.last
RETURNING failures, last
