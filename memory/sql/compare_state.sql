SELECT kind || '/' || id AS key,
       CASE WHEN live.version IS NULL THEN 'is missing' WHEN replayed.version IS NULL THEN 'is not in the log' ELSE 'differs from the replay' END AS how
FROM public.state AS live
FULL JOIN pg_temp.state AS replayed USING (kind, id)
WHERE (live.version, live.body, live.seq) IS DISTINCT FROM (replayed.version, replayed.body, replayed.seq)
ORDER BY kind, id
LIMIT %(limit)s
