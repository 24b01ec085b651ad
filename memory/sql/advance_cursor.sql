INSERT INTO connection_stream (connection, stream, cursor, read_at) VALUES (%(connection)s, %(stream)s, %(cursor)s, %(at)s)
ON CONFLICT (connection, stream) DO UPDATE SET cursor = EXCLUDED.cursor, read_at = EXCLUDED.read_at, failures = 0, error = ''
