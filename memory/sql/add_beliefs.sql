INSERT INTO fact (subject, predicate, object, valid, belief, confidence, status, functional, source_event)
SELECT subject, predicate, object, tstzrange(valid_from, valid_to), tstzrange(believed_from, believed_to), confidence, status,
       functional, source_event
FROM jsonb_to_recordset(%(rows)s) AS added (
    subject text, predicate text, object text, valid_from timestamptz, valid_to timestamptz, believed_from timestamptz,
    believed_to timestamptz, confidence double precision, status text, functional boolean, source_event uuid)
