INSERT INTO effects (key, digest, kind, order_id, reference, at, detail)
VALUES (:key, :digest, :kind, :order_id, :reference, :at, :detail)
