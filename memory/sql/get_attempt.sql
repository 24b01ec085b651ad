SELECT connection, key, stream, action_kind, action_digest, reference, payload, status, at FROM attempt WHERE key = %(key)s
