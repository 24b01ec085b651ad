SELECT subject, predicate, object, lower(valid) AS valid_from, upper(valid) AS valid_to, lower(belief) AS believed_from,
       upper(belief) AS believed_to, confidence, status, source_event
FROM fact
WHERE subject = %(subject)s AND (%(predicate)s = '' OR predicate = %(predicate)s) AND status = %(status)s AND upper_inf(belief)
      AND upper_inf(valid)
ORDER BY predicate, object, fact_id
