SELECT count(*) AS rows FROM pg_temp.state
