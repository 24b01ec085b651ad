INSERT INTO vector_owner (database)
SELECT oid FROM pg_database WHERE datname = current_database()
ON CONFLICT (database) DO UPDATE SET owner = vector_owner.owner
RETURNING owner
