SELECT pg_notify('steward_state', %(streams)s),
       CASE WHEN %(wakes)s::integer > 0 THEN pg_notify('steward_outbox', %(wakes)s::text) END
