-- Months of the log that are over can be sealed, and a sealed one can leave the database for a file and come back.

-- One row a sealed month, never changed: whether it is in the database is what the catalogue of Postgres says.
CREATE TABLE event_segment (
    partition text        PRIMARY KEY CHECK (partition ~ '^event_[0-9]{4}_[0-9]{2}$'),
    events    bigint      NOT NULL CHECK (events > 0),
    first_seq bigint      NOT NULL UNIQUE,
    last_seq  bigint      NOT NULL UNIQUE,
    prev_hash text        NOT NULL,
    last_hash text        NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (last_seq - first_seq + 1 = events)
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON event_segment FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON event_segment FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The functions run with the rights of their caller, who must own the log, and see no other schema's tables.

CREATE FUNCTION event_partition_start(partition text) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp AS $$
    SELECT make_timestamptz(substr(partition, 7, 4)::integer, substr(partition, 12, 2)::integer, 1, 0, 0, 0, 'UTC')
$$;

CREATE FUNCTION event_partition_end(partition text) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp AS $$
    SELECT date_trunc('month', public.event_partition_start(partition) + interval '40 days', 'UTC')
$$;

CREATE FUNCTION event_partition_attached(partition text) RETURNS boolean LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'public.event'::regclass
                   AND inhrelid = to_regclass(format('public.%I', partition)))
$$;

-- The recording times only grow: a month before that of the head can get no event any more.
CREATE FUNCTION event_partition_over(partition text) RETURNS boolean LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp AS $$
    SELECT public.event_partition_end(partition) <= date_trunc('month', recorded_at, 'UTC') FROM public.chain
$$;

-- What the events of a month amount to now, in the form of its seal.
CREATE FUNCTION event_partition_content(partition text, OUT events bigint, OUT first_seq bigint, OUT last_seq bigint,
                                        OUT prev_hash text, OUT last_hash text)
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
    WITH month AS (
        SELECT e.seq, e.prev_hash, e.hash FROM public.event e
        WHERE e.recorded_at >= public.event_partition_start(partition) AND e.recorded_at < public.event_partition_end(partition)
    )
    SELECT count(*), min(seq), max(seq),
           (SELECT m.prev_hash FROM month m ORDER BY m.seq LIMIT 1), (SELECT m.hash FROM month m ORDER BY m.seq DESC LIMIT 1)
    FROM month
$$;

-- Seals a month that is over; again changes nothing.
CREATE FUNCTION seal_event_partition(wanted text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM public.event_segment s WHERE s.partition = wanted) THEN
        RETURN;
    END IF;
    IF NOT public.event_partition_attached(wanted) OR NOT public.event_partition_over(wanted) THEN
        RAISE EXCEPTION '% is not a month of the log that is over', wanted USING ERRCODE = 'restrict_violation';
    END IF;
    INSERT INTO public.event_segment (partition, events, first_seq, last_seq, prev_hash, last_hash)
    SELECT wanted, c.events, c.first_seq, c.last_seq, c.prev_hash, c.last_hash FROM public.event_partition_content(wanted) c
    ON CONFLICT (partition) DO NOTHING;
END $$;

-- Takes a sealed month out of the database; false where it is out already. The one way for an event to leave it.
CREATE FUNCTION detach_event_partition(wanted text, root text) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
    sealed public.event_segment;
BEGIN
    SELECT * INTO sealed FROM public.event_segment s WHERE s.partition = wanted AND s.last_hash = root;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% was not sealed with the root %', wanted, root USING ERRCODE = 'restrict_violation';
    END IF;
    LOCK TABLE public.event IN ACCESS EXCLUSIVE MODE;
    IF NOT public.event_partition_attached(wanted) THEN
        RETURN false;
    END IF;
    PERFORM public.require_sealed_content(wanted);
    EXECUTE format('ALTER TABLE public.event DETACH PARTITION public.%I', wanted);
    EXECUTE format('DROP TABLE public.%I', wanted);
    RETURN true;
END $$;

-- Puts the rows of the temporary table ``restored_event`` back as the month they were sealed as; false where it is there.
CREATE FUNCTION attach_event_partition(wanted text) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s' AS $$
BEGIN
    IF public.event_partition_attached(wanted) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.event INCLUDING ALL)', wanted);
    EXECUTE format('INSERT INTO public.%I SELECT * FROM pg_temp.restored_event', wanted);
    EXECUTE format('ALTER TABLE public.event ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                   wanted, public.event_partition_start(wanted), public.event_partition_end(wanted));
    EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.%I FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()',
                   wanted);
    PERFORM public.require_sealed_content(wanted);
    RETURN true;
END $$;

CREATE FUNCTION require_sealed_content(wanted text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.event_segment s, public.event_partition_content(wanted) c
        WHERE s.partition = wanted
          AND (s.events, s.first_seq, s.last_seq, s.prev_hash, s.last_hash)
            = (c.events, c.first_seq, c.last_seq, c.prev_hash, c.last_hash)
    ) THEN
        RAISE EXCEPTION 'the events of % are not those it was sealed with', wanted USING ERRCODE = 'restrict_violation';
    END IF;
END $$;

REVOKE ALL ON FUNCTION seal_event_partition(text), detach_event_partition(text, text), attach_event_partition(text) FROM PUBLIC;
