SELECT seq FROM event_key WHERE event_id = ANY(%(ids)s)
