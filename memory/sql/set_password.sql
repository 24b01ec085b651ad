INSERT INTO operator_password (hash, changed_at) VALUES (%(hash)s, %(at)s)
ON CONFLICT (one) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at
