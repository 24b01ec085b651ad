INSERT INTO attempt (connection, key, stream, action_kind, action_digest, reference, payload, status, at)
VALUES (%(connection)s, %(key)s, %(stream)s, %(action_kind)s, %(action_digest)s, %(reference)s, %(payload)s, %(status)s, %(at)s)
ON CONFLICT (key) DO NOTHING
