SELECT body FROM state WHERE kind = %(kind)s AND body @> %(fields)s ORDER BY id
