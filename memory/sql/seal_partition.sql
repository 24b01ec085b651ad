SELECT seal_event_partition(%(partition)s)
