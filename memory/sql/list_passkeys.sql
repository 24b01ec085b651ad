SELECT name, credential_id, public_key, sign_count, rp_id, transports, may_sync, backed_up, created_at, used_at
FROM access_passkey
ORDER BY number
