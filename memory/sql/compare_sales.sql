SELECT sku || ' on ' || day AS key,
       CASE WHEN live.units IS NULL THEN 'is missing' WHEN replayed.units IS NULL THEN 'is not in the log' ELSE 'differs from the replay' END AS how
FROM public.sales AS live
FULL JOIN pg_temp.sales AS replayed USING (sku, day)
WHERE (live.units, live.orders, live.returned, live.revenue)
      IS DISTINCT FROM (replayed.units, replayed.orders, replayed.returned, replayed.revenue)
ORDER BY sku, day
LIMIT %(limit)s
