SELECT f.fact_id AS row, f.subject, f.predicate, f.object, lower(f.valid) AS valid_from, upper(f.valid) AS valid_to,
       lower(f.belief) AS believed_from, NULL::timestamptz AS believed_to, f.confidence, f.status, f.functional, f.source_event
FROM unnest(%(subjects)s::text[], %(predicates)s::text[]) AS wanted (subject, predicate)
JOIN fact f USING (subject, predicate)
WHERE upper_inf(f.belief)
ORDER BY f.fact_id
