INSERT INTO stock (sku, units, version) VALUES (:sku, :units, 1)
ON CONFLICT (sku) DO UPDATE SET units = excluded.units, version = version + 1 WHERE units <> excluded.units
