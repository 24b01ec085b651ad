-- Locked in the order in which appends write them, so that neither waits for the other in a circle.
WITH held AS (
    SELECT passage.passage_id, passage.text = seen.text AS unchanged
    FROM passage
    JOIN unnest(%(ids)s::text[], %(texts)s::text[]) AS seen (passage_id, text) ON seen.passage_id = passage.passage_id
    ORDER BY passage.passage_id
    FOR UPDATE OF passage
)
UPDATE passage
SET indexed_in = CASE WHEN held.unchanged THEN %(index)s ELSE '' END
FROM held
WHERE passage.passage_id = held.passage_id
