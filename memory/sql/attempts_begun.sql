SELECT connection, key, stream, action_kind, action_digest, reference, ''::bytea AS payload, status, at FROM attempt
WHERE connection = %(connection)s AND stream = %(stream)s AND status <> 'ready' ORDER BY place
