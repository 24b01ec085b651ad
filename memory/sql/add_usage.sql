UPDATE bound_usage u
SET used = u.used + added.amount
FROM unnest(%(scopes)s::text[], %(bounds)s::text[], %(amounts)s::numeric[]) AS added (scope, bound, amount)
WHERE u.scope = added.scope AND u.bound = added.bound
