INSERT INTO breaker (connector, action_kind, state, failures)
VALUES (%(connector)s, %(action_kind)s, 'closed', 0)
ON CONFLICT (connector, action_kind) DO UPDATE SET failures = breaker.failures
RETURNING connector, action_kind, state, failures, opened_at
