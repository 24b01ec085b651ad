SELECT count(*) AS n
FROM state
WHERE kind = %(kind)s AND (%(fields)s::jsonb = '{}' OR body @> %(fields)s::jsonb) AND (%(pattern)s = '' OR state_words(id, body) ILIKE %(pattern)s)
