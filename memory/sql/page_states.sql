SELECT body FROM state WHERE kind = %(kind)s AND body @> %(fields)s ORDER BY seq DESC, id LIMIT %(limit)s OFFSET %(offset)s
