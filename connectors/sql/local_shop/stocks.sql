SELECT sku, units FROM stock ORDER BY sku
