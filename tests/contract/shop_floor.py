"""A connected shop as the tests of each kind use it: reading into a memory, acting, and breaking what stands behind it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import pytest

import memory
from activities.intake import Intake
from connectors.kinds import Opened
from connectors.reading import ReadingSource
from domain.actions import Action, Capability, Receipt
from domain.connections import Record
from domain.entities import Order, Product, Stock
from domain.errors import Unknown
from domain.ports import Connector
from models.embedding import HashingEmbedder
from tests.contract.outside_cases import LATER, NOW
from tests.contract.scripted_http import Call, Reply, Server


@dataclass
class ShopFloor:
    """A connection, and what Steward knows through it."""

    opened: Opened
    kept: memory.Memory = field(default_factory=lambda: memory.in_memory(embedder=HashingEmbedder()))
    cursors: dict[str, str] = field(default_factory=dict)

    @property
    def connector(self) -> Connector:
        return self.opened.connectors[Capability.SHOP]

    @property
    def source(self) -> ReadingSource:
        assert isinstance(self.opened.source, ReadingSource)
        return self.opened.source

    async def read(self, stream: str = "orders", *, now: datetime = NOW) -> list[Record]:
        """What is new, understood."""
        records: list[Record] = []
        more = True
        while more:
            found = await self.source.read(stream, self.cursors.get(stream, ""), now=now)
            records, more, self.cursors[stream] = [*records, *found.records], found.more, found.cursor
        await self.take(*records)
        return records

    async def take(self, *records: Record, now: datetime = NOW) -> None:
        intake = Intake(inbox=self.kept.inbox, log=self.kept.log, state=self.kept.state)
        await intake.accept("shop", records, now=now)
        await intake.understand("shop", self.source, now=now)

    async def do(self, action: Action, *, key: str = "k") -> Receipt:
        seen = (await self.connector.preview(action)).record_version
        return await self.connector.execute(action, key=key, expected_version=seen, now=NOW)

    async def order(self, order_id: str) -> Order:
        found = await self.kept.state.get(Order, order_id)
        assert found is not None
        return found

    async def product(self, sku: str) -> Product:
        found = await self.kept.state.get(Product, sku)
        assert found is not None
        return found

    async def on_hand(self, sku: str) -> int:
        found = await self.kept.state.get(Stock, sku)
        assert found is not None
        return found.on_hand

    async def told(self) -> list[str]:
        return [event.type for event in await self.kept.log.read()]


async def with_a_lost_answer(
    floor: ShopFloor, action: Action, *, server: Server, which: Callable[[Call], bool], answer: Callable[[Call], Reply]
) -> Receipt:
    """Do ``action`` while the answer to the calls that are ``which`` gets lost, look it up, and do it again: one receipt."""
    seen = (await floor.connector.preview(action)).record_version
    server.answer = on(which, Reply(body=b"x" * 99, cut=True), answer, after=True)
    with pytest.raises(Unknown):
        await floor.connector.execute(action, key="k", expected_version=seen, now=NOW)
    server.answer = answer
    receipt = await floor.connector.find_receipt(action, key="k")
    assert receipt is not None
    assert await floor.connector.execute(action, key="k", expected_version=seen, now=LATER) == receipt
    return receipt


def on(
    which: Callable[[Call], bool], reply: Reply, answer: Callable[[Call], Reply], *, after: bool = False
) -> Callable[[Call], Reply]:
    """``reply`` to every call that is ``which``: in place of what it asks, or ``after`` it was done."""

    def answering(call: Call) -> Reply:
        if not which(call):
            return answer(call)
        if after:
            answer(call)
        return reply

    return answering
