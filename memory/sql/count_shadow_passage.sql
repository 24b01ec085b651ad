SELECT count(*) AS rows FROM pg_temp.passage
