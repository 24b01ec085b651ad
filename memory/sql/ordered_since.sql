SELECT line ->> 'sku' AS sku
FROM effect, jsonb_array_elements(action -> 'purchase_order' -> 'lines') AS line
WHERE status IN ('reserved', 'executing', 'unknown') AND action ->> 'kind' = 'place-purchase-order' AND key <> %(key)s
      AND line ->> 'sku' = ANY(%(skus)s)
UNION
SELECT data ->> 'sku' AS sku
FROM event
WHERE stream = ANY(%(streams)s) AND seq > %(seq)s AND type = 'stock.ordered' AND (data ->> 'units')::bigint > 0
ORDER BY sku
