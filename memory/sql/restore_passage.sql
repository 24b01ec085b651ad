WITH surplus AS (
    DELETE FROM public.passage AS live
    WHERE NOT EXISTS (SELECT FROM pg_temp.passage AS replayed WHERE replayed.passage_id = live.passage_id)
)
INSERT INTO public.passage AS live (passage_id, text, entities, kind, at)
SELECT passage_id, text, entities, kind, at FROM pg_temp.passage ORDER BY passage_id
ON CONFLICT (passage_id) DO UPDATE
SET text = excluded.text, entities = excluded.entities, kind = excluded.kind, at = excluded.at,
    indexed_in = CASE WHEN live.text = excluded.text THEN live.indexed_in ELSE '' END
WHERE (live.text, live.entities, live.kind, live.at) IS DISTINCT FROM (excluded.text, excluded.entities, excluded.kind, excluded.at)
