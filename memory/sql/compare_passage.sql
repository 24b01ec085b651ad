SELECT passage_id AS key,
       CASE WHEN live.text IS NULL THEN 'is missing' WHEN replayed.text IS NULL THEN 'is not in the log' ELSE 'differs from the replay' END AS how
FROM public.passage AS live
FULL JOIN pg_temp.passage AS replayed USING (passage_id)
WHERE (live.text, live.entities, live.kind, live.at) IS DISTINCT FROM (replayed.text, replayed.entities, replayed.kind, replayed.at)
ORDER BY passage_id
LIMIT %(limit)s
