INSERT INTO sales AS s (sku, day, units, orders, returned, revenue)
SELECT sku, day, units, orders, returned, revenue
FROM jsonb_to_recordset(%(rows)s) AS w (sku text, day date, units integer, orders integer, returned integer, revenue numeric)
ON CONFLICT (sku, day) DO UPDATE
SET units = excluded.units, orders = excluded.orders, returned = excluded.returned, revenue = excluded.revenue
