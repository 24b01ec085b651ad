UPDATE fact f
SET belief = tstzrange(lower(f.belief), closed.at)
FROM unnest(%(rows)s::bigint[], %(times)s::timestamptz[]) AS closed (fact_id, at)
WHERE f.fact_id = closed.fact_id
