SELECT ensure_event_partitions(%(moment)s)
