SELECT pg_advisory_xact_lock_shared(hashtextextended('steward controls', 0))
