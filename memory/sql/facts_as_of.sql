SELECT subject, predicate, object, lower(valid) AS valid_from, upper(valid) AS valid_to, lower(belief) AS believed_from,
       upper(belief) AS believed_to, confidence, status, source_event
FROM fact
WHERE subject = %(subject)s AND status = 'asserted' AND valid @> %(world)s::timestamptz AND belief @> %(belief)s::timestamptz
ORDER BY predicate, object, fact_id
