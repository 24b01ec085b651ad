SELECT units, version FROM stock WHERE sku = :sku
