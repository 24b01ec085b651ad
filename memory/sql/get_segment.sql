SELECT partition, events, first_seq, last_seq, prev_hash, last_hash FROM event_segment WHERE partition = %(partition)s
