-- Texts that can be searched, and the context packs decisions were made from.

CREATE TABLE passage (
    passage_id text        PRIMARY KEY,
    text       text        NOT NULL,
    entities   text[]      NOT NULL,
    kind       text        NOT NULL,
    at         timestamptz NOT NULL,
    -- The vector collection that holds this text as it stands; empty while it is in none.
    indexed_in text        NOT NULL DEFAULT '',
    -- A tsvector holds at most a megabyte.
    search     tsvector    NOT NULL GENERATED ALWAYS AS
        (to_tsvector('english', left(text, 100000)) || to_tsvector('simple', left(text, 100000))) STORED
);

CREATE INDEX passage_search ON passage USING gin (search);
CREATE INDEX passage_by_entity ON passage USING gin (entities);
CREATE INDEX passage_by_index ON passage (indexed_in);

CREATE TABLE context_pack (
    hash text        PRIMARY KEY,
    pack jsonb       NOT NULL,
    at   timestamptz NOT NULL
);

-- Tells the vector collections of several databases on one Chroma apart; a copy of a database gets a name of its own.
CREATE TABLE vector_owner (
    database oid  PRIMARY KEY,
    owner    uuid NOT NULL DEFAULT gen_random_uuid()
);
