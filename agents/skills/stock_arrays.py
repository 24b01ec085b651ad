"""From canonical entities to the arrays the forecast and the reorder arithmetic work on. Rows are products, in the order given."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from agents.skills.demand_rates import FloatArray
from agents.skills.lead_times import LeadTime, learned_lead_time
from agents.skills.reorder import MICROS, Items
from domain.entities import Product, PurchaseOrder, Stock, Supplier
from domain.event import SalesRow


def demand_history(sales: Sequence[SalesRow], skus: Sequence[str], *, since: date, until: date) -> FloatArray:
    """[n_skus, n_days] units a day from ``since`` to ``until``, both included; zeros where nothing was sold.

    What came back the same day was never demand (a slip of the keyboard, a cancelled order) and is taken off.
    """
    row_of = {sku: i for i, sku in enumerate(skus)}
    history = np.zeros((len(skus), (until - since).days + 1))
    for sale in sales:
        row = row_of.get(sale.sku)
        if row is not None and since <= sale.day <= until:
            history[row, (sale.day - since).days] += max(sale.units - max(sale.returned, 0), 0)
    return history


def lead_time(supplier: Supplier, orders: Sequence[PurchaseOrder]) -> LeadTime:
    """What the supplier states, corrected by the deliveries seen."""
    seen = [
        (o.received_at - o.ordered_at) / timedelta(days=1)
        for o in orders
        if o.supplier_id == supplier.supplier_id and o.received_at is not None
    ]
    return learned_lead_time(seen, LeadTime(supplier.lead_time_days, supplier.lead_time_sd_days))


def items_of(products: Sequence[Product], stock: Mapping[str, Stock], lead_times: Mapping[str, LeadTime]) -> Items:
    """One entry a product; a product without a stock record counts as none in the house."""
    levels = [stock.get(p.sku) or Stock(sku=p.sku) for p in products]
    return Items(
        on_hand=np.array([s.here for s in levels], np.int64),
        reserved=np.array([s.reserved for s in levels], np.int64),
        on_order=np.array([s.on_order for s in levels], np.int64),
        moq=np.array([p.moq for p in products], np.int64),
        pack_size=np.array([p.pack_size for p in products], np.int64),
        unit_cost=np.array([micros(p.unit_cost.amount) for p in products], np.int64),
        unit_margin=np.array([micros(p.price.amount - p.unit_cost.amount) for p in products], np.int64),
        lead_days=np.array([lead_times[p.supplier_id].days for p in products], float),
        lead_sd_days=np.array([lead_times[p.supplier_id].sd for p in products], float),
        supplier=tuple(p.supplier_id for p in products),
    )


def micros(amount: Decimal) -> int:
    """Millionths of a currency's major unit; exact, because money has six decimals at most."""
    return int(amount * MICROS)
