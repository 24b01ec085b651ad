"""``python -m bench.stock_plan [--json]``: a real shop's year of sales, imported and planned; how long, and how good.

The data is one small gift shop (see the evaluation data's own README). Without it the benchmark says so and stops.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table

from agents.skills.demand_rates import FloatArray
from agents.skills.forecast import forecast_demand, pinball
from agents.skills.lead_time_demand import candidates_at, read_history
from agents.skills.stock_arrays import demand_history
from agents.stock_planner import StockPicture, StockPlan, plan_stock
from connectors.importers.catalog import CatalogOptions, read_catalog
from connectors.importers.sales import read_sales
from connectors.importers.table import TableOptions
from domain.catalogue import fold
from domain.entities import Product, Stock, Supplier
from domain.model import Value
from domain.policies import StockPolicy

T = TypeVar("T")
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "online_retail"
_LEVEL = 0.95
_HORIZON = 14
_HELD_OUT = 6  # windows at the end of the year that the forecast has not seen
_OPENING_DAYS = 14


@dataclass(frozen=True)
class Quality:
    """Of one way to forecast: pinball loss for each unit sold, and the share of windows the stated stock would have covered."""

    method: str
    loss: float
    covered: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.stock_plan", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with daily_sku_sales.csv.gz and sku_catalog.csv")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    asked = parser.parse_args()
    if not (asked.data / "daily_sku_sales.csv.gz").is_file():
        sys.stderr.write(f"no sales data in {asked.data}: nothing measured (say --data FOLDER)\n")
        return 0
    seconds: dict[str, float] = {}
    picture = _timed(seconds, "read the files", lambda: read_shop(asked.data))
    plan = _timed(seconds, "plan", lambda: _plan(picture))
    history = demand_history(picture.sales, [p.sku for p in picture.products], since=picture.since, until=picture.until)
    qualities = _timed(seconds, f"judge {_HELD_OUT} windows", lambda: hold_out(history))
    (_print_json if asked.json else _print_tables)(picture, plan, seconds, qualities)
    return 0


def read_shop(folder: Path) -> StockPicture:
    """The shop as the importers see it, on the day after its last sale, with an assumed opening stock."""
    names = TableOptions(mapping={"sku": "StockCode", "title": "description", "price": "median_price"})
    listed = read_catalog((folder / "sku_catalog.csv").read_bytes(), table=names, catalog=CatalogOptions(), at=datetime.now(UTC))
    sold_names = TableOptions(mapping={"sku": "StockCode", "unit_price": "price"})
    sold = read_sales(
        (folder / "daily_sku_sales.csv.gz").read_bytes(),
        table=sold_names,
        today=datetime.now(UTC).date(),
        opening_stock_days=_OPENING_DAYS,
    )
    state: dict[str, Value] = {}
    for event in (*listed.accepted, *listed.assumed, *sold.accepted, *sold.assumed):
        state[event.data.stream] = fold(state.get(event.data.stream), event.data)
    sales = tuple(row for event in sold.accepted for row in event.data.sales())
    until = max(row.day for row in sales)
    return StockPicture(
        products=tuple(e for e in state.values() if isinstance(e, Product)),
        stock={e.sku: e for e in state.values() if isinstance(e, Stock)},
        suppliers={e.supplier_id: e for e in state.values() if isinstance(e, Supplier)},
        purchase_orders=(),
        sales=sales,
        since=until - timedelta(days=StockPolicy().history_days - 1),
        until=until,
    )


def hold_out(history: FloatArray) -> list[Quality]:
    """Stand at past days, forecast the next two weeks from the days before, and look what sold."""
    tallies: dict[str, list[tuple[float, float, float]]] = {}
    for ahead in range(1, _HELD_OUT + 1):
        origin = history.shape[1] - ahead * _HORIZON
        past, sold = history[:, :origin], history[:, origin : origin + _HORIZON].sum(axis=1)
        live = past.any(axis=1)
        for method, stated in _stated(past).items():
            lost = float(pinball(sold, stated, _LEVEL)[live].sum())
            tallies.setdefault(method, []).append((lost, float(sold[live].sum()), float((sold <= stated)[live].mean())))
    return [
        Quality(method, sum(t[0] for t in found) / sum(t[1] for t in found), sum(t[2] for t in found) / len(found))
        for method, found in tallies.items()
    ]


def _stated(past: FloatArray) -> dict[str, FloatArray]:
    single = candidates_at(read_history(past, (past > 0).argmax(axis=1)), past.shape[1], horizon=_HORIZON, level=_LEVEL)
    horizons = np.full(len(past), _HORIZON)
    chosen = forecast_demand(past, horizon_days=horizons, service_level=_LEVEL).horizon_quantile
    return {"chosen by back-test": chosen, **dict(zip(single.methods, single.quantile, strict=True))}


def _plan(picture: StockPicture) -> StockPlan:
    now = datetime.combine(picture.until + timedelta(days=1), time(9), UTC)
    return plan_stock(picture, StockPolicy(), run_id="bench", now=now)


def _timed(seconds: dict[str, float], what: str, work: Callable[[], T]) -> T:
    began = perf_counter()
    result = work()
    seconds[what] = perf_counter() - began
    return result


def _summary(picture: StockPicture, plan: StockPlan) -> dict[str, int | str]:
    orders = [p.action for p in plan.orders]
    return {
        "SKUs": len(picture.products),
        "days of sales": (picture.until - picture.since).days + 1,
        "reorder points": len(plan.reorder_points),
        "purchase orders": len(orders),
        "worth": "; ".join(order.summary() for order in orders),
    }


def _print_json(picture: StockPicture, plan: StockPlan, seconds: dict[str, float], qualities: list[Quality]) -> None:
    found = {"plan": _summary(picture, plan), "seconds": seconds, "hold_out": [vars(q) for q in qualities]}
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


def _print_tables(picture: StockPicture, plan: StockPlan, seconds: dict[str, float], qualities: list[Quality]) -> None:
    console = Console()
    shown = Table("what", "value", title="Replenishment of a real shop")
    for what, value in _summary(picture, plan).items():
        shown.add_row(what, str(value))
    for what, took in seconds.items():
        shown.add_row(what, f"{took:.2f} s")
    console.print(shown)
    judged = Table("method", "loss per unit sold", f"windows covered (aim {_LEVEL:.0%})", title=f"{_HORIZON} days ahead, unseen")
    for quality in sorted(qualities, key=lambda q: q.loss):
        judged.add_row(quality.method, f"{quality.loss:.3f}", f"{quality.covered:.1%}")
    console.print(judged)


if __name__ == "__main__":
    raise SystemExit(main())
