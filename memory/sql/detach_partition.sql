SELECT detach_event_partition(%(partition)s, %(root)s) AS done
