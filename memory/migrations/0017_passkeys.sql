-- Passkeys and the challenges that they are asked to sign. Public keys and digests: with nothing here could anybody come in.

-- Whom authenticators know the operator as. Two installations under one name, as on localhost, must not be one to them.
CREATE TABLE access_operator (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    handle uuid NOT NULL DEFAULT gen_random_uuid()
);

INSERT INTO access_operator DEFAULT VALUES;

CREATE TABLE access_passkey (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    credential_id bytea NOT NULL UNIQUE,
    name text NOT NULL UNIQUE,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL CHECK (sign_count >= 0),
    rp_id text NOT NULL,
    transports text[] NOT NULL,
    may_sync boolean NOT NULL,
    backed_up boolean NOT NULL,
    created_at timestamptz NOT NULL,
    used_at timestamptz
);

CREATE TABLE access_challenge (
    digest text PRIMARY KEY CHECK (digest ~ '^[0-9a-f]{64}$'),
    purpose text NOT NULL,
    session_id text NOT NULL,
    rp_id text NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX access_challenge_end ON access_challenge (expires_at);
