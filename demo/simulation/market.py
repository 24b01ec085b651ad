"""What is bought, how suppliers deliver, and how pages are read: the world's own numbers, pure and drawn once."""

import math
import zlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np

from demo.data import load as load_shop
from demo.simulation.chance import chance
from demo.simulation.scenario import Scenario, ShockKind
from domain.entities import ContentMetrics, ContentPiece, Product, PurchaseOrder, Supplier

HOLDING_RATE = 0.25  # of unit cost a year
_WEEKDAYS = (1.10, 0.95, 0.90, 0.95, 1.05, 1.05, 1.00)  # Monday first
_SWING = 0.35  # of the seasonal products, over a quarter
_SEASON_DAYS = 91
_LEAD_SD = 0.15  # of the real lead time
_GOOD_TITLE = (30, 62)  # characters that a result page shows in full
_HELPFUL = ("how", "guide", "care", "size", "what", "which", "?")


def demand(product: Product, day: int, *, scenario: Scenario, seed: int) -> int:
    """Units that customers want of ``product`` on ``day``, whether or not they are there."""
    row = _patterns()[product.sku]
    today = scenario.midnight(day).date()
    draw = np.random.default_rng([seed, zlib.crc32(product.sku.encode()), day])
    factor = math.prod(s.factor for s in scenario.on(day, ShockKind.DEMAND) if s.name in ("", product.sku))
    mean = row["rate"] * _WEEKDAYS[today.weekday()] * factor * _season(row["pattern"], day)
    if row["pattern"] == "intermittent":
        return int((draw.random() < mean / 1.4) * (1 + draw.poisson(0.4)))
    return int(draw.poisson(mean))


def delivered_at(order: PurchaseOrder, supplier: Supplier, *, scenario: Scenario, seed: int) -> datetime:
    """When an order really arrives: suppliers have their own idea of the lead time they state."""
    day = (order.ordered_at - scenario.midnight(1)).days + 1
    slow = math.prod(s.factor for s in scenario.on(day, ShockKind.SLOW_SUPPLIER) if s.name == supplier.supplier_id)
    mean = supplier.lead_time_days * scenario.lead_time_factor.get(supplier.supplier_id, 1.0) * slow
    drawn = chance(seed, "delivery", supplier.supplier_id, day).gauss(mean, _LEAD_SD * mean)
    arrival = order.ordered_at + timedelta(days=max(1.0, drawn))
    return arrival.replace(hour=10, minute=30, second=0, microsecond=0)


def read(piece: ContentPiece, today: date, *, seed: int) -> ContentMetrics:
    """How a page is seen and clicked on one day. The title decides who clicks; the page's subject, who sees it."""
    topic = chance(seed, "topic", piece.slug)
    shown, base = topic.uniform(30, 90), topic.uniform(0.025, 0.05)
    draw = np.random.default_rng([seed, zlib.crc32(piece.slug.encode()), today.toordinal()])
    impressions = int(draw.poisson(shown))
    clicks = int(draw.binomial(impressions, min(base * appeal(piece.title), 0.5)))
    return ContentMetrics(day=today, impressions=impressions, clicks=clicks, seconds_on_page=float(round(draw.gamma(4, 12), 1)))


def appeal(title: str) -> float:
    """By how much a title changes the share that clicks: readable length, a reason to click, a figure."""
    shortest, longest = _GOOD_TITLE
    factor = 1.0 if shortest <= len(title) <= longest else 0.75
    factor *= 1.3 if any(word in title.lower() for word in _HELPFUL) else 1.0
    return factor * (1.15 if any(c.isdigit() for c in title) else 1.0)


def holding_cost(units: Mapping[str, int], products: Mapping[str, Product]) -> Decimal:
    """What one day of keeping ``units`` costs, in the shop's currency."""
    value = sum((products[sku].unit_cost.amount * max(n, 0) for sku, n in units.items()), Decimal(0))
    return (value * Decimal(str(HOLDING_RATE)) / 365).quantize(Decimal("0.01"))


@cache
def _patterns() -> dict[str, dict[str, Any]]:
    """How each product sells, by SKU: its pattern and its units a day."""
    return {row["sku"]: row["demand"] for row in load_shop("products")}


def _season(pattern: str, day: int) -> float:
    match pattern:
        case "dead":
            return 0.0
        case "seasonal":
            return 1.2 + _SWING * math.sin(2 * math.pi * day / _SEASON_DAYS)
    return 1.0
