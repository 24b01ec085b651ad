SELECT count(*) AS n
FROM state stock
JOIN state product ON product.kind = 'product' AND product.id = stock.id AND product.body @> '{"active": true}'
WHERE stock.kind = 'stock' AND stock.body -> 'on_hand' <= '0'
