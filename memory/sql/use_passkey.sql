UPDATE access_passkey
SET sign_count = %(sign_count)s, backed_up = %(backed_up)s, used_at = %(at)s
WHERE credential_id = %(credential_id)s AND sign_count = %(seen)s
