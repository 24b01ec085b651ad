"""Every source keeps the same contract."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from itertools import count
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.fakes import InMemorySource
from connectors.importers.report import ImportReport, Rejection
from domain.connections import Record
from domain.entities import Order
from domain.event import new_event
from domain.events import OrderPlaced
from tests.contract import dropping, hubspot_double, mail_cases, pushing, shop_cases, stripe_cases
from tests.contract.every_called_source import CalledCase, EveryCalledSource
from tests.contract.every_source import EverySource, SourceCase
from tests.contract.mail_servers import mail_servers
from tests.contract.outside_cases import order


def _placed(raw: bytes, at: datetime) -> ImportReport:
    try:
        told = Order.model_validate_json(raw)
    except ValidationError:
        return ImportReport("orders", 1, (), (Rejection(1, "order", raw[:20].hex(), "is no order"),))
    return ImportReport("orders", 1, (new_event(OrderPlaced(order=told), at=told.placed_at, key=(told.order_id,)),))


@asynccontextmanager
async def _in_memory(home: Path) -> AsyncIterator[SourceCase]:
    source, numbers = InMemorySource(normalise=_placed), count(1)

    async def arrive(many: int) -> None:
        for number in [next(numbers) for _ in range(many)]:
            source.records.append(
                Record(stream="records", external_id=str(number), raw=order(str(number)).model_dump_json().encode())
            )

    yield SourceCase(source, "records", arrive)


CASES: dict[str, Callable[[Path], AbstractAsyncContextManager[SourceCase]]] = {
    "in-memory": _in_memory,
    **shop_cases.SOURCES,
    "drop-folder": dropping.case,
    "mailbox": mail_cases.reading(mail_servers),
    "hubspot": hubspot_double.reading,
    "stripe": stripe_cases.reading,
}
"""Every source, by name: a context manager that gives the case to try it with."""


@pytest.fixture(params=CASES)
async def source_case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SourceCase]:
    async with CASES[request.param](tmp_path) as opened:
        yield opened


class TestEverySource(EverySource):
    """Each case keeps the contract."""


CALLED: dict[str, CalledCase] = {"webhook": pushing.case(), "stripe": stripe_cases.called(), "woocommerce": shop_cases.woo_called()}
"""Every source whose system calls us, by name."""


@pytest.fixture(params=CALLED)
def called(request: pytest.FixtureRequest) -> CalledCase:
    return CALLED[request.param]


class TestEveryCalledSource(EveryCalledSource):
    """Each case keeps the contract."""
