"""``python -m bench.console [--events N] [--approvals N] [--rounds N] [--json]``: how long the console's pages take.

A database of its own is filled through the log; then every page is asked for over HTTP, in process, as the operator's
browser does. Bars: the first page under 150 ms (median), every page under 300 ms (95th percentile), JavaScript under 60 KB.
The files of the audit, which hold the whole log, are downloads and have no bar.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import median, quantiles
from time import perf_counter, process_time
from urllib.parse import quote

import httpx
from fastapi.routing import APIRoute
from rich.console import Console
from rich.table import Table
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

import memory
import stack
from bench.console_years import CONNECTION, PAGE, REPORT, TRIAL, approval_of, fill, ticket_of
from console.__main__ import house_of, switchboard
from console.app import PAGES, STATIC, create_app
from console.house import House
from domain.entities import Order, PurchaseOrder
from memory.migrations import migrate
from memory.setup_code import setup_code
from models.embedding import HashingEmbedder
from settings import Settings

_FIRST_BAR, _PAGE_BAR = 150.0, 300.0  # milliseconds
_SCRIPT_BAR = 60_000  # bytes
_FIRST = "/"
_WARM_UP = 2
_ANSWERED = (200, 303)  # shown, or sent on to another page
_DOWNLOADS = ("/audit/export.csv", "/audit/export.json")
_PASSWORD = "ninety geese in a row"  # noqa: S105 - of a database that is thrown away


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Milliseconds of one page; ``status`` is the answer's. ``cpu`` is what the console itself worked on it (median): on a busy
    machine the difference to ``p50`` is the database and waiting."""

    page: str
    status: int
    p50: float
    p95: float
    cpu: float

    @property
    def met(self) -> bool:
        in_time = self.p95 < _PAGE_BAR or self.page in _DOWNLOADS
        return self.status in _ANSWERED and in_time and (self.page != _FIRST or self.p50 < _FIRST_BAR)


@dataclass(frozen=True, kw_only=True)
class Measured:
    events: int
    timings: Sequence[Timing]
    script_bytes: int
    left_out: Sequence[str]  # pages of things of which there is no example

    @property
    def met(self) -> bool:
        return all(timing.met for timing in self.timings) and self.script_bytes < _SCRIPT_BAR


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.console", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--approvals", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=30, help="how often each page is asked for")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.load({"STEWARD_HOME": folder})
        try:
            found = stack.start(settings, worker=False)
            measured = asyncio.run(_measured(settings, found, asked.events, asked.approvals, asked.rounds))
        finally:
            stack.stop(settings)
    (_print_json if asked.json else _print_table)(measured)
    return int(not measured.met)


async def _measured(settings: Settings, found: stack.Endpoints, events: int, approvals: int, rounds: int) -> Measured:
    await migrate(found.database_url)
    client = await Client.connect(found.temporal_address, data_converter=pydantic_data_converter)
    async with memory.open_memory(
        database_url=found.database_url, chroma_url=found.chroma_url, embedder=HashingEmbedder(), home=settings.home
    ) as kept:
        there = await fill(kept, events=events, approvals=approvals, now=datetime.now(UTC))
        examples = await _examples(kept, approvals - 1)
        house = house_of(settings, kept, client, switchboard(settings, kept), ui_url=found.ui_url or "")
        timings = await _timings(house, examples, rounds)
    return Measured(
        events=there,
        timings=timings,
        script_bytes=script_bytes(),
        left_out=[path for path, url in pages(examples) if url is None],
    )


def pages(examples: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """(path, address) of every page the console has; the address is None where ``examples`` lack one of its things."""
    for route in (route for router in PAGES for route in router.routes if isinstance(route, APIRoute)):
        if "GET" not in (route.methods or ()):
            continue
        given = {name: _example(examples, route.path, name) for name in route.param_convertors}
        known = {name: value for name, value in given.items() if value is not None}
        url = str(route.url_path_for(route.name, **known)) if len(known) == len(given) else None
        yield route.path, url and quote(url) + examples.get(f"{route.path}?", "")


def _example(examples: Mapping[str, str], path: str, name: str) -> str | None:
    """Of the page, where several have the same name for different things, else of the name."""
    return examples.get(f"{path.partition('{')[0]}{name}", examples.get(name))


def script_bytes() -> int:
    return sum(path.stat().st_size for path in STATIC.rglob("*.js"))


async def _examples(kept: memory.Memory, number: int) -> dict[str, str]:
    """The newest of everything, by the names that paths have for it."""
    ticket, sku = ticket_of(number), "STO-MUG-MOSS"
    (first,) = await kept.log.read(limit=1)
    orders, purchases = await kept.views.page(Order, limit=1), await kept.views.page(PurchaseOrder, limit=1)
    return {
        "approval_id": approval_of(number),
        "run_id": f"support/{ticket}",
        "ticket_id": ticket,
        "sku": sku,
        "order_id": orders[0].order_id,
        "/business/purchase-orders/order_id": purchases[0].purchase_order_id,
        "seq": "1000",
        "kind": "product",
        "key": sku,
        "/memory/facts?": f"?subject=product/{sku}",
        "/memory/why/event_id": str(first.event_id),
        "/connectors/capability": "helpdesk",
        "/connectors/of/name": CONNECTION,
        "/learning/policies/name": "support",
        "/learning/reports/day": REPORT,
        "/learning/experiments/experiment_id": TRIAL,
        "slug": PAGE,
    }


async def _timings(house: House, examples: Mapping[str, str], rounds: int) -> list[Timing]:
    app = create_app(house)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=house.public_url) as browser:
        entered = {"code": setup_code(house.home), "password": _PASSWORD, "again": _PASSWORD}
        answer = await browser.post("/setup", data=entered, headers={"origin": house.public_url})
        assert answer.has_redirect_location, answer.text
        return [await _timing(browser, path, url, rounds) for path, url in pages(examples) if url is not None]


async def _timing(browser: httpx.AsyncClient, path: str, url: str, rounds: int) -> Timing:
    for _ in range(_WARM_UP):
        status = (await browser.get(url)).status_code
    taken, worked = [], []
    for _ in range(rounds):
        began, at_work = perf_counter(), process_time()
        await browser.get(url)
        taken.append((perf_counter() - began) * 1_000)
        worked.append((process_time() - at_work) * 1_000)
    p95 = quantiles(taken, n=20, method="inclusive")[-1]
    return Timing(page=path, status=status, p50=median(taken), p95=p95, cpu=median(worked))


def _print_json(measured: Measured) -> None:
    sys.stdout.write(json.dumps({**asdict(measured), "met": measured.met}) + "\n")


def _print_table(measured: Measured) -> None:
    table = Table("page", "p50 ms", "p95 ms", "cpu ms", "", title=f"{measured.events:,} events")
    for timing in measured.timings:
        figures = (f"{figure:.0f}" for figure in (timing.p50, timing.p95, timing.cpu))
        table.add_row(timing.page, *figures, "" if timing.met else f"MISSED ({timing.status})")
    console = Console()
    console.print(table)
    console.print(f"bars: first page p50 < {_FIRST_BAR:.0f} ms, every page p95 < {_PAGE_BAR:.0f} ms")
    console.print(f"JavaScript: {measured.script_bytes:,} bytes (bar {_SCRIPT_BAR:,})")
    for path in measured.left_out:
        console.print(f"not measured, for want of an example: {path}")


if __name__ == "__main__":
    raise SystemExit(main())
