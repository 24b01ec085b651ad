UPDATE effect
SET number = DEFAULT, connector = %(connector)s, diff = %(diff)s, status = %(status)s, policy_versions = %(policy_versions)s,
    approval_id = %(approval_id)s, compensates = %(compensates)s, receipt = NULL, error = '', reserved_at = %(reserved_at)s,
    updated_at = %(updated_at)s
WHERE key = %(key)s
RETURNING key
