SELECT passage_id, text, entities, kind, at
FROM passage
WHERE text <> ''
ORDER BY md5(passage_id), passage_id
LIMIT %(limit)s
