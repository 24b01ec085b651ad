INSERT INTO state (kind, id, version, body, seq)
SELECT kind, id, version, body, seq
FROM jsonb_to_recordset(%(rows)s) AS written (kind text, id text, version integer, body jsonb, seq bigint)
ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, body = excluded.body, seq = excluded.seq
