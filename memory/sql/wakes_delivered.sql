DELETE FROM outbox WHERE item_id = ANY(%(item_ids)s::bigint[])
