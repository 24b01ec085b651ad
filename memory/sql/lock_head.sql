SELECT seq, hash, greatest(clock_timestamp(), recorded_at + interval '1 microsecond') AS now
FROM chain
FOR UPDATE
