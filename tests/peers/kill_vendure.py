"""Kill the shop's connector with SIGKILL while it pays back on a Vendure, one child process a kill, and count what is left behind.

    python -m tests.peers.kill_vendure lines|moments DATABASE_URL SHOP_URL ORDER

``lines`` kills before every line of its code that does something; ``moments`` at even steps through the time that a refund
takes, so that Vendure goes on with what it was given. ORDER is one of many articles, of which each kill pays back one euro
under a key of its own. Prints {"kills", "lost", "doubled", "torn", "undecided"}: the undecided are refunds of which nobody
can say for ten minutes whether they happen, "lost" and "doubled" are what the customer has once they are over and the same
key was tried again, "torn" are receipts that do not agree with the shop.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from connectors.http import Http
from connectors.shop_effects import ShopConnector, mark_in, mark_of
from connectors.vendure_api import VendureGraph
from connectors.vendure_shop import VendureShop
from domain.actions import RefundOrder
from domain.errors import Retryable, Unknown
from domain.money import Money
from memory.attempts import PostgresAttempts
from memory.database import open_database
from tests.contract.outside_cases import NOW
from tests.peers.vendure_peer import PASSWORD, USER

ROOT = Path(__file__).parents[2]
CODE = {str(ROOT / path) for path in ("connectors/shop_effects.py", "connectors/vendure_shop.py", "memory/attempts.py")}
"""Between the lines of what is below them nothing happens that the moments would not meet."""
MOMENTS = 20


@dataclass
class World:
    """``ahead`` is by how much the connector's clock is."""

    database_url: str
    shop_url: str
    order: str
    ahead: timedelta = timedelta(0)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[tuple[ShopConnector, VendureShop]]:
        http = Http(self.shop_url, name="shop")
        shop = VendureShop(VendureGraph(http, path="/admin-api", username=USER, password=PASSWORD))
        async with open_database(self.database_url) as database:
            yield ShopConnector(shop, attempts=PostgresAttempts(database), clock=lambda: datetime.now(UTC) + self.ahead), shop
        await http.close()

    def refund(self, key: str) -> RefundOrder:
        return RefundOrder(order_id=self.order, amount=Money.of(1), reason=key)


def lines(world: World) -> dict[str, int]:
    counts, line, survived = _nothing(), 0, False
    while not survived:
        line += 1
        survived = not killed(world, key := f"line-{line}", before_line=line)
        _add(counts, asyncio.run(inspect(world, key)), kills=not survived)
    return counts


def moments(world: World) -> dict[str, int]:
    """Whether a receipt agrees with the shop cannot be said while the shop is still at it."""
    counts, step = _nothing(), min(asyncio.run(_seconds(world, f"whole-{number}")) for number in range(3)) / MOMENTS
    for number in range(3 * MOMENTS):
        was = killed(world, key := f"moment-{number}", after_seconds=number % MOMENTS * step)
        _add(counts, {**asyncio.run(inspect(world, key)), "torn": 0}, kills=was)
        if counts["kills"] == MOMENTS:
            break  # some come to their end before their moment
    return counts


async def _seconds(world: World, key: str) -> float:
    """Of a refund alone, without looking at the order before."""
    async with world.opened() as (connector, _):
        seen = (await connector.preview(world.refund(key))).record_version
        begun = time.monotonic()
        await connector.execute(world.refund(key), key=key, expected_version=seen, now=NOW)
        return time.monotonic() - begun


def killed(world: World, key: str, *, before_line: int = 0, after_seconds: float | None = None) -> bool:
    """Pay back in a child; False where it came to its end."""
    child = os.fork()
    if child == 0:
        asyncio.run(_pay_back(world, key, Countdown(before_line), after_seconds))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


async def _pay_back(world: World, key: str, trace: "Countdown", after_seconds: float | None) -> None:
    async with world.opened() as (connector, _):
        seen = (await connector.preview(world.refund(key))).record_version
        if after_seconds is not None:
            signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
            signal.setitimer(signal.ITIMER_REAL, after_seconds or 0.001)
        sys.settrace(trace)
        await connector.execute(world.refund(key), key=key, expected_version=seen, now=NOW)
        sys.settrace(None)
        signal.setitimer(signal.ITIMER_REAL, 0)


async def inspect(world: World, key: str) -> dict[str, int]:
    """What the receipt says against what went back, and what went back after the same key is tried again."""
    action = world.refund(key)
    async with world.opened() as (connector, shop):
        undecided = torn = 0
        try:
            torn = int(bool(await connector.find_receipt(action, key=key)) != bool(await paid_back(shop, action, key)))
        except Retryable:
            undecided = 1
            world.ahead = timedelta(minutes=11)
            torn = int(bool(await connector.find_receipt(action, key=key)) != bool(await paid_back(shop, action, key)))
        world.ahead = timedelta(0)
        try:
            seen = (await connector.preview(action)).record_version
            await connector.execute(action, key=key, expected_version=seen, now=NOW)
        except Unknown:
            torn = 1  # it was decided before
        back = await paid_back(shop, action, key)
    return {"lost": int(back == 0), "doubled": int(back > 1), "torn": torn, "undecided": undecided}


async def paid_back(shop: VendureShop, action: RefundOrder, key: str) -> int:
    """How often the shop paid back under ``key``."""
    order = await shop._order(action.order_id)
    return sum(mark_in(refund.reason or "") == mark_of(key) for refund in order.refunds)


class Countdown:
    """A trace function that kills its own process when it comes to the next line for the first time: how often a loop turns
    depends on how many refunds there were before. With nothing left to count it only looks on.
    """

    def __init__(self, left: int) -> None:
        self.left = left
        self.met: set[tuple[str, int]] = set()

    def __call__(self, frame: FrameType, event: str, arg: Any) -> "Countdown | None":
        if frame.f_code.co_filename not in CODE:
            return None
        if event == "line" and (place := (frame.f_code.co_filename, frame.f_lineno)) not in self.met:
            self.met.add(place)
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


def _nothing() -> dict[str, int]:
    return dict.fromkeys(("kills", "lost", "doubled", "torn", "undecided"), 0)


def _add(counts: dict[str, int], found: dict[str, int], *, kills: bool) -> None:
    for what, number in {**found, "kills": int(kills)}.items():
        counts[what] += number


if __name__ == "__main__":
    how, database_url, shop_url, order = sys.argv[1:]
    print(json.dumps({"lines": lines, "moments": moments}[how](World(database_url, shop_url, order))))
