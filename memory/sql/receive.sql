INSERT INTO inbox (source, external_id, raw, at)
VALUES (%(source)s, %(external_id)s, %(raw)s, %(at)s)
ON CONFLICT (source, external_id) DO NOTHING
