SELECT connector, action_kind, state, failures, opened_at FROM breaker ORDER BY connector, action_kind
