-- A new month of the log takes no lock that readers hold or wait for.

-- Makes the partitions of the moment's month (UTC) and of the month after it, where they do not exist yet. A partition is
-- made as a table of its own and then attached: CREATE TABLE … PARTITION OF locks the whole log against every reader, and
-- an append that waits for one long reader would stop all others.
CREATE OR REPLACE FUNCTION ensure_event_partitions(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
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
        EXECUTE format('CREATE TABLE %I (LIKE event INCLUDING ALL)', partition);
        EXECUTE format('ALTER TABLE event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                       partition, month, date_trunc('month', month + interval '40 days', 'UTC'));
        EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
                       partition);
    END LOOP;
END $$;
