-- Who may enter. Secrets are here as hashes only; the log tells what happened and holds none.

CREATE TABLE access_password (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    password_hash text NOT NULL
);

CREATE TABLE access_try (
    client text PRIMARY KEY,
    failures integer NOT NULL,
    last timestamptz NOT NULL
);

CREATE TABLE access_session (
    session_id text PRIMARY KEY CHECK (session_id ~ '^[0-9a-f]{64}$'),
    csrf text NOT NULL,
    opened_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    proven_at timestamptz NOT NULL,
    flash text[] NOT NULL
);

CREATE TABLE access_token (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash text NOT NULL UNIQUE CHECK (token_hash ~ '^[0-9a-f]{64}$'),
    name text NOT NULL,
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    used_at timestamptz,
    revoked_at timestamptz
);

CREATE UNIQUE INDEX access_token_standing ON access_token (name) WHERE revoked_at IS NULL;
