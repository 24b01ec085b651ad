INSERT INTO bound_usage (scope, bound, used)
SELECT scope, bound, 0
FROM unnest(%(scopes)s::text[], %(bounds)s::text[]) AS wanted (scope, bound)
ORDER BY scope COLLATE "C", bound COLLATE "C"
ON CONFLICT (scope, bound) DO UPDATE SET used = bound_usage.used
RETURNING scope, bound, used
