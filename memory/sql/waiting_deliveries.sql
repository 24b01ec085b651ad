SELECT source, external_id, raw, at FROM inbox
WHERE source = %(source)s AND understood_at IS NULL ORDER BY place LIMIT %(limit)s
