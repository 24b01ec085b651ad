SELECT version, body FROM state WHERE kind = %(kind)s AND id = %(id)s
