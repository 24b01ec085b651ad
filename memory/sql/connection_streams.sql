SELECT connection, stream, cursor, read_at, failures, error, failed_at FROM connection_stream
WHERE connection = %(connection)s ORDER BY stream
