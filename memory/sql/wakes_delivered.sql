UPDATE outbox SET delivered = true WHERE item_id = ANY(%(item_ids)s::bigint[]) AND NOT delivered
