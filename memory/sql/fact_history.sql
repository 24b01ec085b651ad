SELECT subject, predicate, object, lower(valid) AS valid_from, upper(valid) AS valid_to, lower(belief) AS believed_from,
       upper(belief) AS believed_to, confidence, status, source_event
FROM fact
WHERE subject = %(subject)s
ORDER BY lower(belief), predicate, object, lower(valid), fact_id
