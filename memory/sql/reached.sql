SELECT wanted.connector, done.updated_at AS done_at, failed.updated_at AS failed_at, coalesce(failed.error, '') AS error
FROM unnest(%(connectors)s::text[]) WITH ORDINALITY AS wanted (connector, place)
LEFT JOIN LATERAL (
    SELECT updated_at FROM effect WHERE connector = wanted.connector AND status IN ('committed', 'compensated')
    ORDER BY updated_at DESC LIMIT 1
) AS done ON true
LEFT JOIN LATERAL (
    SELECT updated_at, error FROM effect WHERE connector = wanted.connector AND status IN ('failed', 'unknown')
    ORDER BY updated_at DESC LIMIT 1
) AS failed ON true
ORDER BY wanted.place
