INSERT INTO orders (id, body, version) VALUES (:id, :body, 1)
ON CONFLICT (id) DO UPDATE SET body = excluded.body, version = version + 1 WHERE body <> excluded.body
