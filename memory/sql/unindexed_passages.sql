SELECT passage_id, text
FROM passage
WHERE indexed_in < %(index)s OR indexed_in > %(index)s
ORDER BY passage_id
LIMIT %(limit)s
