-- Entities by their own time, so that who looks at the last day does not read the history of years.

-- When a run started, a question was asked, or a thing was found or written. The texts carry their offsets, so that the
-- result depends on no setting.
CREATE FUNCTION state_time(body jsonb) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(body ->> 'started_at', body ->> 'requested_at', body ->> 'at')::timestamptz
$$;

CREATE INDEX state_by_time ON state (kind, state_time(body)) WHERE state_time(body) IS NOT NULL;
