-- Only what differs is touched.
WITH surplus AS (
    DELETE FROM public.state AS live
    WHERE NOT EXISTS (SELECT FROM pg_temp.state AS replayed WHERE (replayed.kind, replayed.id) = (live.kind, live.id))
)
INSERT INTO public.state AS live (kind, id, version, body, seq)
SELECT kind, id, version, body, seq FROM pg_temp.state ORDER BY kind, id
ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, body = excluded.body, seq = excluded.seq
WHERE (live.version, live.body, live.seq) IS DISTINCT FROM (excluded.version, excluded.body, excluded.seq)
