SELECT body FROM orders ORDER BY id
