SELECT sku, day, units, orders, returned, revenue, false AS additive
FROM sales
WHERE day BETWEEN %(since)s AND %(until)s AND (cardinality(%(skus)s::text[]) = 0 OR sku = ANY(%(skus)s::text[]))
ORDER BY sku, day
