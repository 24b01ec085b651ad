UPDATE inbox SET digest = encode(sha256(raw), 'hex'), raw = '', blanked_at = %(at)s
WHERE (source, external_id) IN (
    SELECT source, external_id FROM inbox WHERE understood_at < %(before)s AND blanked_at IS NULL
    ORDER BY understood_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
