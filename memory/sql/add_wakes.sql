INSERT INTO outbox (topic, key, event_id, at)
SELECT * FROM unnest(%(topics)s::text[], %(keys)s::text[], %(event_ids)s::uuid[], %(times)s::timestamptz[])
