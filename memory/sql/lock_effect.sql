SELECT key, connector, run_id, workflow, step, action, diff, status, policy_versions, approval_id, compensates, receipt, error,
       reserved_at, updated_at
FROM effect
WHERE key = %(key)s
FOR UPDATE
