-- Months in the database, sealed or not, and sealed ones that are not in it.
WITH month AS (
    SELECT c.relname::text AS partition FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'event'::regclass
    UNION
    SELECT partition FROM event_segment
)
SELECT m.partition, event_partition_attached(m.partition) AS attached, event_partition_over(m.partition) AS over,
       s.events, s.first_seq, s.last_seq, s.prev_hash, s.last_hash,
       s.partition IS NULL AND NOT EXISTS (
           SELECT FROM event e WHERE e.recorded_at >= event_partition_start(m.partition) AND e.recorded_at < event_partition_end(m.partition)
       ) AS empty
FROM month m
LEFT JOIN event_segment s USING (partition)
ORDER BY m.partition
