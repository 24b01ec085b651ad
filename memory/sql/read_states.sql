SELECT s.kind, s.id, s.version, s.body
FROM unnest(%(kinds)s::text[], %(ids)s::text[]) AS wanted (kind, id)
JOIN state s USING (kind, id)
