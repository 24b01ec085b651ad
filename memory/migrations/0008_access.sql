-- Who may enter the console. Beside the log: hashes of secrets have no place in a record that is kept for ever.

CREATE TABLE operator_password (
    one        boolean     PRIMARY KEY DEFAULT true CHECK (one),
    hash       text        NOT NULL,
    changed_at timestamptz NOT NULL
);

CREATE TABLE login_tries (
    client   text        PRIMARY KEY,
    failures integer     NOT NULL,
    last     timestamptz NOT NULL
);

CREATE TABLE console_session (
    session_id text        PRIMARY KEY,
    seen_at    timestamptz NOT NULL,
    body       jsonb       NOT NULL
);

CREATE TABLE api_token (
    name       text  PRIMARY KEY,
    token_hash text  NOT NULL UNIQUE,
    body       jsonb NOT NULL
);
