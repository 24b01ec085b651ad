SELECT event_partition_attached(%(partition)s) AS attached
