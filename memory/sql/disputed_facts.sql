-- What two sources say differently of one thing, nearly at once; the later of them is believed.
WITH told AS (
    SELECT DISTINCT ON (f.subject, f.predicate, e.seq) f.subject, f.predicate, f.object, f.belief, f.valid, e.seq, e.source, e.at
    FROM fact f
    JOIN event_key k ON k.event_id = f.source_event
    JOIN event e ON e.seq = k.seq
    WHERE f.functional AND f.status = 'asserted' AND e.at >= %(since)s
    ORDER BY f.subject, f.predicate, e.seq, lower(f.belief) DESC
), compared AS (
    SELECT *, lag(object) OVER earlier AS other, lag(source) OVER earlier AS other_source, lag(at) OVER earlier AS other_at
    FROM told
    WINDOW earlier AS (PARTITION BY subject, predicate ORDER BY seq)
)
SELECT subject, predicate, object AS believed, source, other, other_source
FROM compared
WHERE upper_inf(belief) AND upper_inf(valid) AND object <> other AND source <> other_source
  AND abs(extract(epoch FROM at - other_at)) <= %(seconds)s
ORDER BY subject, predicate
