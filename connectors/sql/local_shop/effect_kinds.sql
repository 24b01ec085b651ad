SELECT DISTINCT kind FROM effects WHERE order_id = :id
