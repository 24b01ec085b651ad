INSERT INTO connection_stream (connection, stream, failures, error, failed_at)
VALUES (%(connection)s, %(stream)s, 1, %(error)s, %(at)s)
ON CONFLICT (connection, stream) DO UPDATE
SET failures = connection_stream.failures + 1, error = EXCLUDED.error, failed_at = EXCLUDED.failed_at
RETURNING failures
