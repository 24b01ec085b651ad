SELECT count(*) AS n FROM state WHERE kind = 'approval' AND body @> '{"status": "pending"}'
