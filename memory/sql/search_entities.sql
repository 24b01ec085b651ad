SELECT passage_id
FROM passage
WHERE entities && %(entities)s::text[]
ORDER BY cardinality(ARRAY(SELECT unnest(entities) INTERSECT SELECT unnest(%(entities)s::text[]))) DESC, at DESC, passage_id
LIMIT %(depth)s
