INSERT INTO passage (passage_id, text, entities, kind, at)
SELECT passage_id, text, entities, kind, at
FROM jsonb_to_recordset(%(passages)s) AS written (passage_id text, text text, entities text[], kind text, at timestamptz)
ORDER BY passage_id
ON CONFLICT (passage_id) DO UPDATE
SET text = excluded.text, entities = excluded.entities, kind = excluded.kind, at = excluded.at,
    indexed_in = CASE WHEN passage.text = excluded.text THEN passage.indexed_in ELSE '' END
