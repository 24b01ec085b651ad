SELECT partition, events, first_seq, last_seq, prev_hash, last_hash
FROM event_segment
WHERE last_seq > %(after)s AND NOT event_partition_attached(partition)
ORDER BY first_seq
