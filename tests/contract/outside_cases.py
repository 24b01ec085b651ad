"""What the contract of connectors is tried with: one case a capability, for the real adapter and for the fake."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors import in_memory, open_local
from connectors.fakes import InMemoryConnector, InMemoryCrm, InMemoryTools
from domain.actions import (
    Action,
    AddNote,
    AdjustStock,
    ArchiveNote,
    CallTool,
    CancelPurchaseOrder,
    Capability,
    PlacePurchaseOrder,
    PublishContent,
    RefundOrder,
    SendReply,
    UnpublishContent,
)
from domain.entities import Address, ContentPiece, Order, OrderLine, OrderStatus, Picture, PurchaseOrder, PurchaseOrderLine
from domain.money import Money
from domain.ports import Connector
from domain.tools import ToolTerms

NOW = datetime(2026, 3, 2, 9, 30, 15, 123456, tzinfo=UTC)
LATER = datetime(2026, 3, 5, 8, 0, tzinfo=UTC)
HOME = Address(name="Ada Byron", line1="1 Mill Lane", postcode="10115", city="Berlin", country="DE")


def order(order_id: str = "1001", status: OrderStatus = OrderStatus.PAID) -> Order:
    line = OrderLine(sku="MUG", title="Mug", units=2, unit_price=Money.of("14.50"))
    return Order(
        order_id=order_id,
        customer_id="C1",
        email="ada@example.org",
        lines=(line,),
        total=Money.of(29),
        status=status,
        placed_at=datetime(2026, 3, 1, tzinfo=UTC),
        ship_to=HOME,
    )


def reply(message_id: str = "reply-1", **changes: str) -> SendReply:
    given = {"ticket_id": "T1", "message_id": message_id, "to": "ada@example.org", "sender": "Mill Shop <hello@mill.example>"}
    return SendReply.model_validate({**given, "subject": "Re: Where is it?", "body": "It left us yesterday.", **changes})


def purchase(purchase_order_id: str = "PO-7") -> PlacePurchaseOrder:
    line = PurchaseOrderLine(sku="MUG", title="Mug, red", units=24, unit_cost=Money.of("4.10"))
    bought = PurchaseOrder(
        purchase_order_id=purchase_order_id,
        supplier_id="S1",
        lines=(line,),
        ordered_at=NOW,
        expected_at=datetime(2026, 3, 9, tzinfo=UTC),
    )
    return PlacePurchaseOrder(purchase_order=bought, to="orders@pottery.example", sender="hello@mill.example")


def call(title: str = "one", *, tool: str = "open_ticket", digest: str = "0" * 64, **terms: Any) -> CallTool:
    """Of the tools in ``tool_servers``, mapped with this digest."""
    return CallTool(connection="till", tool=tool, arguments={"title": title}, terms=ToolTerms(digest=digest, **terms))


def refund(order_id: str, reason: str) -> RefundOrder:
    return RefundOrder(order_id=order_id, amount=Money.of(5), reason=reason)


def restock(reason: str = "PO-7 came in", *, sku: str = "MUG", before: int = 3, after: int = 27) -> AdjustStock:
    return AdjustStock(sku=sku, units_before=before, units_after=after, reason=reason)


PICTURE = Picture(url="https://mill.example/mug.png", alt="A red mug")


def page(title: str = "Mugs", slug: str = "mugs", revision: int = 1, picture: Picture | None = None) -> PublishContent:
    piece = ContentPiece(
        slug=slug,
        kind="product-guide",
        title=title,
        description="About mugs: ü",
        body=f"# {title}\n",
        keyword="mug",
        revision=revision,
        picture=picture,
    )
    return PublishContent(piece=piece)


@dataclass(frozen=True)
class Case:
    """``count`` is how many effects can be seen outside; ``impossible`` cannot be done; ``foreign`` is not its trade."""

    connector: Connector
    action: Action
    other: Action
    impossible: Action
    foreign: Action
    count: Callable[[], Awaitable[int]]


async def make(capability: Capability, home: Path | None) -> Case:
    """The real adapter under ``home``, or the fake where there is none."""
    connector = (open_local(home) if home else in_memory())[capability]
    match capability:
        case Capability.HELPDESK | Capability.SUPPLIERS:
            return mail_case(capability, connector, _mails(connector, home))
        case Capability.SHOP | Capability.PAYMENTS:
            await connector.put_orders([order()])  # type: ignore[attr-defined]
            first, second, nowhere = refund("1001", "broken"), refund("1001", "late"), refund("1002", "broken")
            return Case(connector, first, second, nowhere, page(), _refunds(connector))
        case Capability.SITE:
            return site_case(connector, _pages(connector))
        case Capability.TOOLS:
            fake = InMemoryTools({"open_ticket": "0" * 64})
            return Case(fake, call(), call("two"), call(tool="burn_down"), reply(), _calls(fake))
        case Capability.CRM:
            crm, gone = InMemoryCrm(), ArchiveNote(customer_id="C1", note_id="1")
            notes = [AddNote(customer_id="C1", email="ada@example.org", text=text) for text in ("one", "two")]
            return Case(crm, notes[0], notes[1], gone, reply(), _notes(crm))


def site_case(connector: Connector, count: Callable[[], Awaitable[int]], *, picture: Picture = PICTURE) -> Case:
    """Pages with a picture, for whatever publishes."""
    pages = (page(picture=picture), page("Other mugs", picture=picture))
    return Case(connector, *pages, UnpublishContent(slug="nothing"), reply(), count)


async def stock_case(home: Path | None) -> Case:
    """The shop's other trade: what is there of a SKU."""
    connector = (open_local(home) if home else in_memory())[Capability.SHOP]
    await connector.put_stock({"MUG": 3, "CUP": 3})  # type: ignore[attr-defined]

    async def count() -> int:
        return int((await connector.snapshot())["stock"] != {"CUP": 3, "MUG": 3})  # type: ignore[attr-defined]

    return Case(connector, restock(), restock(sku="CUP"), restock(before=4), page(), count)


def mail_case(capability: Capability, connector: Connector, count: Callable[[], Awaitable[int]]) -> Case:
    """For whatever sends replies or purchase orders as mails."""
    if capability is Capability.HELPDESK:
        return Case(connector, reply(), reply("reply-2", body="Else."), reply(to="a@b.c\nBcc: x@y.z"), page(), count)
    never_sent = CancelPurchaseOrder(
        purchase_order=purchase("PO-9").purchase_order, to="a@b.c", sender="hello@mill.example", reason="no"
    )
    return Case(connector, purchase(), purchase("PO-8"), never_sent, reply(), count)


def _mails(connector: Connector, home: Path | None) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        if home is None:
            assert isinstance(connector, InMemoryConnector)
            return connector.executed
        return len(list((home / "outside" / "mail" / "outgoing" / "new").glob("*")))

    return count


def _refunds(connector: Connector) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        snapshot = await connector.snapshot()  # type: ignore[attr-defined]
        return sum(len(order["refunds"]) for order in snapshot["orders"].values())

    return count


def _calls(connector: InMemoryTools) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        return len(connector.called)

    return count


def _notes(connector: InMemoryCrm) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        return len(connector.notes)

    return count


def _pages(connector: Connector) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        return len(await connector.snapshot())  # type: ignore[attr-defined]

    return count


def execute(capability: Capability, home: Path, expected: str, action: Action, answer: Path) -> None:
    """Do ``action`` with the key ``k`` in a process of its own, and write the reference of its receipt to ``answer``."""
    connector = open_local(home)[capability]
    receipt = asyncio.run(connector.execute(action, key="k", expected_version=expected, now=NOW))
    answer.write_text(receipt.reference)
