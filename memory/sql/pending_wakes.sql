SELECT item_id, topic, key, event_id, at FROM outbox WHERE NOT delivered ORDER BY item_id LIMIT %(limit)s
