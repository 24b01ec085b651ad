"""SHOW: a small invented shop, one day of its business, a simulated operator and the report of that day."""
