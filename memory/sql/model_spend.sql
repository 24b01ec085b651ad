SELECT coalesce(sum(cost), 0) AS spent
FROM model_call
WHERE at >= %(day)s::date::timestamp AT TIME ZONE 'UTC' AND at < (%(day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
