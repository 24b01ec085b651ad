SELECT body, version FROM orders WHERE id = :id
