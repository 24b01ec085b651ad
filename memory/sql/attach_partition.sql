SELECT attach_event_partition(%(partition)s) AS done
