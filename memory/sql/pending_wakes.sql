SELECT item_id, topic, key, event_id, at FROM outbox ORDER BY item_id LIMIT %(limit)s
