"""What a connected system has to tell in the chaos tests: three orders, two of them twice."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

from connectors.fakes import InMemorySource
from connectors.importers.report import ImportReport
from connectors.kinds import Kind, Opened, Opening
from connectors.switchboard import Switchboard
from connectors.vault import Vault
from domain.connections import Connection, Record
from domain.entities import Order
from domain.event import new_event
from domain.events import OrderPlaced
from memory.fakes.shelves import InMemoryAttempts
from tests.contract.outside_cases import order

RECORDS = tuple(
    Record(stream="records", external_id=f"{place}/{order_id}", raw=order(order_id).model_dump_json().encode())
    for place, order_id in enumerate(("7001", "7002", "7001", "7003", "7002"))
)


def switchboard(home: Path, connections: Callable[[], Awaitable[Sequence[Connection]]]) -> Switchboard:
    """One that knows the kind ``post``."""
    kind = Kind(name="post", title="orders", settings=(), open=_open)
    return Switchboard(connections=connections, kinds={"post": kind}, vault=Vault(home, {}), attempts=InMemoryAttempts(), home=home)


def _open(opening: Opening) -> Opened:
    async def check() -> str:
        return "there"

    source = InMemorySource(opening.name, normalise=_placed)
    source.records.extend(RECORDS)
    return Opened(check=check, source=source)


def _placed(raw: bytes, at: datetime) -> ImportReport:
    told = Order.model_validate_json(raw)
    return ImportReport("orders", 1, (new_event(OrderPlaced(order=told), at=told.placed_at, key=(told.order_id,)),))
