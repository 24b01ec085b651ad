INSERT INTO access_passkey (credential_id, name, public_key, sign_count, rp_id, transports, may_sync, backed_up, created_at, used_at)
VALUES (
    %(credential_id)s, %(name)s, %(public_key)s, %(sign_count)s, %(rp_id)s, %(transports)s, %(may_sync)s, %(backed_up)s,
    %(created_at)s, %(used_at)s
)
ON CONFLICT DO NOTHING
