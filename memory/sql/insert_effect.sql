INSERT INTO effect (key, connector, run_id, workflow, step, action, diff, status, policy_versions, approval_id, compensates,
                    reserved_at, updated_at)
VALUES (%(key)s, %(connector)s, %(run_id)s, %(workflow)s, %(step)s, %(action)s, %(diff)s, %(status)s, %(policy_versions)s,
        %(approval_id)s, %(compensates)s, %(reserved_at)s, %(updated_at)s)
ON CONFLICT (key) DO NOTHING
RETURNING key
