SELECT count(*) AS n FROM state WHERE kind = %(kind)s AND body @> %(fields)s
