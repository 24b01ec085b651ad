-- The event log: append-only, hash-chained, partitioned by the month of recording.

CREATE TABLE event (
    seq             bigint      NOT NULL,
    event_id        uuid        NOT NULL,
    source          text        NOT NULL,
    type            text        NOT NULL,
    at              timestamptz NOT NULL,
    stream          text        NOT NULL,
    stream_version  integer     NOT NULL,
    data            jsonb       NOT NULL,
    actor           text        NOT NULL,
    correlation_id  text        NOT NULL,
    causation_id    text        NOT NULL,
    schema_version  integer     NOT NULL,
    pre             jsonb,
    post            jsonb       NOT NULL,
    policy_versions jsonb       NOT NULL,
    flags           jsonb       NOT NULL,
    recorded_at     timestamptz NOT NULL,
    prev_hash       text        NOT NULL,
    hash            text        NOT NULL,
    PRIMARY KEY (seq, recorded_at)
) PARTITION BY RANGE (recorded_at);

CREATE INDEX event_by_stream ON event (stream, seq);
CREATE INDEX event_by_correlation ON event (correlation_id, seq) WHERE correlation_id <> '';

-- A partitioned table cannot be unique on a column that is not its partition key; this table is, for all months.
CREATE TABLE event_key (
    event_id       uuid    PRIMARY KEY,
    seq            bigint  NOT NULL UNIQUE,
    stream         text    NOT NULL,
    stream_version integer NOT NULL,
    UNIQUE (stream, stream_version)
);

-- The head of the chain. Its one row, locked, makes one append follow the other.
CREATE TABLE chain (
    one         boolean     PRIMARY KEY DEFAULT true CHECK (one),
    seq         bigint      NOT NULL,
    hash        text        NOT NULL,
    recorded_at timestamptz NOT NULL
);

INSERT INTO chain (seq, hash, recorded_at) VALUES (0, repeat('0', 64), '-infinity');

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the event log is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'append an event that corrects what is wrong';
END $$;

-- Row triggers are cloned to every partition; a statement trigger is not, so the partitions get their own below.
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON event_key FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON event_key FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Makes the partitions of the moment's month (UTC) and of the month after it, where they do not exist yet.
CREATE FUNCTION ensure_event_partitions(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    this_month timestamptz := date_trunc('month', moment, 'UTC');
    month      timestamptz;
    partition  text;
BEGIN
    FOREACH month IN ARRAY ARRAY[this_month, date_trunc('month', this_month + interval '40 days', 'UTC')] LOOP
        partition := 'event_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
        CONTINUE WHEN to_regclass(partition) IS NOT NULL;
        PERFORM pg_advisory_xact_lock(hashtextextended('steward partitions', 0));
        CONTINUE WHEN to_regclass(partition) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I PARTITION OF event FOR VALUES FROM (%L) TO (%L)',
                       partition, month, date_trunc('month', month + interval '40 days', 'UTC'));
        EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
                       partition);
    END LOOP;
END $$;
