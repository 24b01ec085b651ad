SELECT connector, action_kind, state, failures, opened_at
FROM breaker
WHERE connector = %(connector)s AND action_kind = %(action_kind)s
