SELECT key, connector, run_id, workflow, step, action, diff, status, policy_versions, approval_id, compensates, receipt, error,
       reserved_at, updated_at
FROM effect
WHERE (%(run_id)s = '' OR run_id = %(run_id)s) AND (%(key)s = '' OR key = %(key)s) AND (%(status)s = '' OR status = %(status)s)
ORDER BY number DESC
