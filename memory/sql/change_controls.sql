SELECT pg_advisory_xact_lock(hashtextextended('steward controls', 0))
