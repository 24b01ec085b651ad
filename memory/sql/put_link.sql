WITH swept AS (DELETE FROM decision_link WHERE expires_at < %(forgotten_before)s)
INSERT INTO decision_link (token_hash, approval_id, digest, issued_at, expires_at, used_at)
VALUES (%(token_hash)s, %(approval_id)s, %(digest)s, %(issued_at)s, %(expires_at)s, %(used_at)s)
