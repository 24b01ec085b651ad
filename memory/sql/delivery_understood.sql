UPDATE inbox SET understood_at = %(at)s, note = %(note)s
WHERE source = %(source)s AND external_id = %(external_id)s AND understood_at IS NULL
