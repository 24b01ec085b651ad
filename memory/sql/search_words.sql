-- English stems and plain words alike; common words of English count for nothing, rare ones for more than frequent ones.
WITH word AS (
    SELECT lexeme FROM unnest(to_tsvector('english', left(%(query)s, 2000)))
    UNION
    SELECT lexeme FROM unnest(to_tsvector('simple', left(%(query)s, 2000))) WHERE to_tsvector('english', lexeme) <> ''::tsvector
), hit AS (
    SELECT p.passage_id, ts_rank(p.search, w.query, 1) AS rank, count(*) OVER (PARTITION BY w.query) AS passages
    FROM (SELECT ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery AS query FROM word) AS w
    JOIN passage p ON p.search @@ w.query
)
SELECT passage_id
FROM hit
GROUP BY passage_id
ORDER BY round(sum(rank * ln(1 + (SELECT count(*) FROM passage)::float / passages))::numeric, 6) DESC, passage_id
LIMIT %(depth)s
