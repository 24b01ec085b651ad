"""The engine that needs no model key: statistics over text, rules, and grounded templates."""

from models.local.engine import LocalModel, Taught

__all__ = ["LocalModel", "Taught"]
