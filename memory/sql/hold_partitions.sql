-- No month leaves the database while this transaction goes on. Before its first query, whose snapshot would be older.
LOCK TABLE event IN ACCESS SHARE MODE
