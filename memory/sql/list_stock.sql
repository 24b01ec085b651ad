-- Articles on sale with their shelf: what is at or under its reorder point first, then what lasts the shortest.
WITH sold AS (
    SELECT sku, sum(greatest(units - greatest(returned, 0), 0)) AS units
    FROM sales
    WHERE day > %(until)s::date - %(days)s::integer AND day <= %(until)s::date
    GROUP BY sku
), listed AS (
    SELECT product.id, product.body AS product, stock.body AS stock, coalesce(sold.units, 0) AS sold,
           coalesce((stock.body ->> 'on_hand')::integer - (stock.body ->> 'reserved')::integer, 0) AS free,
           (SELECT coalesce(sum((came ->> 'units')::integer), 0)
            FROM jsonb_array_elements(stock.body -> 'unlisted') came) AS unlisted,
           coalesce((stock.body ->> 'on_order')::integer, 0) AS coming,
           (stock.body ->> 'reorder_point')::integer AS point
    FROM state product
    LEFT JOIN state stock ON stock.kind = 'stock' AND stock.id = product.id
    LEFT JOIN sold ON sold.sku = product.id
    WHERE product.kind = 'product' AND product.body @> '{"active": true}'
      AND (%(pattern)s = '' OR state_words(product.id, product.body) ILIKE %(pattern)s)
)
SELECT product, stock, sold, count(*) OVER () AS total
FROM listed
WHERE NOT %(low)s OR free + unlisted + coming <= point OR free <= 0
ORDER BY coalesce(free + unlisted + coming <= point, false) DESC, (free + unlisted)::float / nullif(sold, 0) NULLS LAST, id
LIMIT %(limit)s OFFSET %(offset)s
