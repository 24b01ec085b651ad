WITH live AS (
    SELECT subject, predicate, object, valid, belief, confidence, status, functional, source_event FROM public.fact
), replayed AS (
    SELECT subject, predicate, object, valid, belief, confidence, status, functional, source_event FROM pg_temp.fact
), different AS (
    SELECT *, 'is not in the log' AS how FROM (TABLE live EXCEPT ALL TABLE replayed) AS surplus
    UNION ALL
    SELECT *, 'is missing' FROM (TABLE replayed EXCEPT ALL TABLE live) AS missing
)
SELECT subject || '#' || predicate || ' = ' || object || ' ' || valid || ' believed ' || belief AS key, how
FROM different
ORDER BY key, how
LIMIT %(limit)s
