WITH surplus AS (
    DELETE FROM public.sales AS live
    WHERE NOT EXISTS (SELECT FROM pg_temp.sales AS replayed WHERE (replayed.sku, replayed.day) = (live.sku, live.day))
)
INSERT INTO public.sales AS live (sku, day, units, orders, returned, revenue)
SELECT sku, day, units, orders, returned, revenue FROM pg_temp.sales ORDER BY sku, day
ON CONFLICT (sku, day) DO UPDATE
SET units = excluded.units, orders = excluded.orders, returned = excluded.returned, revenue = excluded.revenue
WHERE (live.units, live.orders, live.returned, live.revenue)
      IS DISTINCT FROM (excluded.units, excluded.orders, excluded.returned, excluded.revenue)
