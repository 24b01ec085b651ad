SELECT pg_try_advisory_lock(hashtextextended('steward turn ' || %(name)s, 0)) AS held
