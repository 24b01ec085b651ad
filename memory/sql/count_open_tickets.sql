SELECT count(*) AS n FROM state WHERE kind = 'ticket' AND body ->> 'status' <> 'closed'
