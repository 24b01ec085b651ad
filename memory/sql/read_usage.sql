SELECT scope, bound, used FROM bound_usage WHERE scope = ANY(%(scopes)s)
