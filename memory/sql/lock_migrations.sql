SELECT pg_advisory_lock(hashtextextended('steward migrations', 0))
