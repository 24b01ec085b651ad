SELECT seq FROM event_key WHERE stream = %(stream)s AND seq > %(after)s ORDER BY seq
