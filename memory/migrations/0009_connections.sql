-- How far each stream of a connection was read, and which deliveries have been understood.

CREATE TABLE connection_stream (
    connection text        NOT NULL,
    stream     text        NOT NULL,
    cursor     text        NOT NULL DEFAULT '',
    read_at    timestamptz,
    failures   integer     NOT NULL DEFAULT 0,
    error      text        NOT NULL DEFAULT '',
    failed_at  timestamptz,
    PRIMARY KEY (connection, stream)
);

ALTER TABLE inbox
    ADD COLUMN place         bigint GENERATED ALWAYS AS IDENTITY,
    ADD COLUMN understood_at timestamptz,
    ADD COLUMN note          text NOT NULL DEFAULT '';

CREATE INDEX inbox_waiting ON inbox (source, place) WHERE understood_at IS NULL;

-- What connectors are about to send; in the database, because any worker may have to go on with it.
CREATE TABLE attempt (
    place         bigint      GENERATED ALWAYS AS IDENTITY,
    key           text        PRIMARY KEY,
    connection    text        NOT NULL,
    stream        text        NOT NULL,
    action_kind   text        NOT NULL,
    action_digest text        NOT NULL,
    reference     text        NOT NULL,
    payload       bytea       NOT NULL,
    status        text        NOT NULL,
    at            timestamptz NOT NULL
);

CREATE INDEX attempt_by_stream ON attempt (connection, stream, place);
CREATE UNIQUE INDEX attempt_reference ON attempt (connection, reference) WHERE status <> 'ready';
