SELECT pg_advisory_xact_lock(hashtextextended('attempt ' || %(connection)s || ' ' || %(stream)s, 0))
