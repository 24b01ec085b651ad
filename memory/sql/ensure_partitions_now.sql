SELECT ensure_event_partitions(clock_timestamp())
