COPY event_key (event_id, seq, stream, stream_version) FROM STDIN
