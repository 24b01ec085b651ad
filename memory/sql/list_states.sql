SELECT body
FROM state
WHERE kind = %(kind)s AND body @> %(fields)s AND (%(pattern)s = '' OR state_words(id, body) ILIKE %(pattern)s)
ORDER BY seq DESC, id
LIMIT %(limit)s OFFSET %(offset)s
