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
