-- Links that let the operator decide one question once, from a mail or a chat. They lie beside the log and never in it:
-- of a link's token only the SHA-256 is kept, so that nobody who reads the database can use one.

CREATE TABLE decision_link (
    token_hash text PRIMARY KEY CHECK (token_hash ~ '^[0-9a-f]{64}$'),
    approval_id text NOT NULL,
    digest text NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > issued_at),
    used_at timestamptz
);

CREATE INDEX decision_link_expiry ON decision_link (expires_at);
