SELECT body FROM state WHERE kind = %(kind)s AND state_time(body) >= %(since)s AND body @> %(fields)s ORDER BY id
