"""The same outside world in memory: for tests and for trying things out. Each passes its real one's contract."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.hubspot_notes import add_diff, archive_diff
from connectors.importers.report import ImportReport
from connectors.maildir import PurchaseAction, purchase_diff, reply_diff
from connectors.mails import purchase_mail, reply_mail
from connectors.mcp_tools import tool_diff
from connectors.order_rules import changed, order_diff, shop_action, stock_diff
from connectors.reading import ReadingSource
from connectors.site_rules import ABSENT, site_action, site_diff, slug_of
from domain.actions import Action, AddNote, AdjustStock, ArchiveNote, CallTool, Capability, PublishContent, Receipt, SendReply
from domain.connections import Page, Record
from domain.decisions import Diff
from domain.entities import ContentMetrics, ContentPiece, Order
from domain.errors import EffectError, NotCounted, Permanent, Stale
from domain.ids import derived_id, digest
from domain.notifying import Notification, ServiceAnswer
from domain.ports import Bell, Source
from domain.wording import counted


class InMemoryConnector(ABC):
    """Keys, receipts and versions; the subclasses hold the records."""

    name: str
    capability: Capability

    def __init__(self) -> None:
        self._done: dict[str, tuple[str, Receipt]] = {}
        self._failures: deque[tuple[EffectError, bool]] = deque()
        self._lock = asyncio.Lock()
        self._meanwhile: Callable[[], Awaitable[None]] | None = None

    def fail_next(self, error: EffectError, *, after: bool = False) -> None:
        """Let the next execution raise ``error``: before it did anything, or ``after`` it did everything."""
        self._failures.append((error, after))

    def before_next(self, work: Callable[[], Awaitable[None]]) -> None:
        """Let ``work`` happen while the next execution is on its way."""
        self._meanwhile = work

    @property
    def executed(self) -> int:
        """How many effects there were."""
        return len(self._done)

    async def check(self) -> str:
        return f"{counted(self.executed, 'effect')} in memory"

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        async with self._lock:
            if receipt := await self.find_receipt(action, key=key):
                return receipt
            error, after = self._failures.popleft() if self._failures else (None, False)
            if error and not after:
                raise error
            if meanwhile := self._meanwhile:
                self._meanwhile = None
                await meanwhile()
            diff = await self.preview(action)
            if diff.record_version != expected_version:
                raise Stale(f"{diff.record} is at version {diff.record_version}, not {expected_version}")
            receipt = Receipt(reference=str(derived_id(self.name, key)), at=now)
            self._apply(action, receipt)
            self._done[key] = (action.digest(), receipt)
            if error:
                raise error
            return receipt

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        of, receipt = self._done.get(key, ("", None))
        if receipt and of != action.digest():
            raise Permanent(f"the key {key} was used for another action")
        return receipt

    @abstractmethod
    async def preview(self, action: Action) -> Diff: ...

    @abstractmethod
    def _apply(self, action: Action, receipt: Receipt) -> None: ...


class InMemoryHelpdesk(InMemoryConnector):
    name = "in-memory-helpdesk"
    capability = Capability.HELPDESK

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[SendReply] = []

    async def preview(self, action: Action) -> Diff:
        if not isinstance(action, SendReply):
            raise Permanent(f"the help desk cannot {action.kind}")
        return reply_diff(action, sum(sent.ticket_id == action.ticket_id for sent in self.sent))

    def _apply(self, action: Action, receipt: Receipt) -> None:
        assert isinstance(action, SendReply)
        message = reply_mail(action, receipt.at)
        if any(sent.message_id == action.message_id for sent in self.sent):
            raise Permanent(f"a mail with the Message-ID {message['Message-ID']} was written before, for something else")
        self.sent.append(action)


class InMemorySuppliers(InMemoryConnector):
    name = "in-memory-suppliers"
    capability = Capability.SUPPLIERS

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[PurchaseAction] = []

    async def preview(self, action: Action) -> Diff:
        if not isinstance(action, PurchaseAction):
            raise Permanent(f"the purchasing mail cannot {action.kind}")
        done: list[str] = [sent.kind for sent in self.sent if sent.stream == action.stream]
        return purchase_diff(action, done, str(len(done)))

    def _apply(self, action: Action, receipt: Receipt) -> None:
        assert isinstance(action, PurchaseAction)
        purchase_mail(action, receipt.at)
        self.sent.append(action)


class InMemoryShop(InMemoryConnector):
    name = "in-memory-shop"
    capability = Capability.SHOP

    def __init__(self) -> None:
        super().__init__()
        self._orders: dict[str, tuple[Order, int]] = {}
        self._stock: dict[str, tuple[int, int]] = {}

    async def put_orders(self, orders: Sequence[Order]) -> None:
        for order in orders:
            _, version = self._orders.get(order.order_id, (order, 0))
            self._orders[order.order_id] = (order, version + 1)

    async def put_stock(self, units: Mapping[str, int]) -> None:
        for sku, there in units.items():
            _, version = self._stock.get(sku, (there, 0))
            self._stock[sku] = (there, version + 1)

    async def preview(self, action: Action) -> Diff:
        wanted = shop_action(action)
        if isinstance(wanted, AdjustStock):
            units, version = self._units(wanted.sku)
            return stock_diff(wanted, units, str(version))
        order, version = self._order(wanted.order_id)
        return order_diff(wanted, order, str(version))

    async def units(self, sku: str) -> int:
        return self._units(sku)[0]

    async def snapshot(self) -> dict[str, Any]:
        orders = {key: order.model_dump(mode="json") for key, (order, _) in sorted(self._orders.items())}
        return {"orders": orders, "stock": {sku: units for sku, (units, _) in sorted(self._stock.items())}}

    def _apply(self, action: Action, receipt: Receipt) -> None:
        wanted = shop_action(action)
        if isinstance(wanted, AdjustStock):
            self._stock[wanted.sku] = (wanted.units_after, self._units(wanted.sku)[1] + 1)
            return
        order, version = self._order(wanted.order_id)
        self._orders[order.order_id] = (changed(order, wanted, reference=receipt.reference, at=receipt.at), version + 1)

    def _order(self, order_id: str) -> tuple[Order, int]:
        if order_id not in self._orders:
            raise Permanent(f"there is no order {order_id} in the order book")
        return self._orders[order_id]

    def _units(self, sku: str) -> tuple[int, int]:
        if sku not in self._stock:
            raise NotCounted(f"nobody has said how many of {sku} are there")
        return self._stock[sku]


class InMemorySite(InMemoryConnector):
    name = "in-memory-site"
    capability = Capability.SITE

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, ContentPiece] = {}

    async def preview(self, action: Action) -> Diff:
        wanted = site_action(action)
        page = self.pages.get(slug_of(wanted))
        return site_diff(wanted, page, digest(page) if page else ABSENT)

    async def snapshot(self) -> dict[str, Any]:
        return {f"content/{slug}.md": page.model_dump(mode="json") for slug, page in sorted(self.pages.items())}

    def _apply(self, action: Action, receipt: Receipt) -> None:
        if isinstance(action, PublishContent):
            piece = action.piece
            self.pages[piece.slug] = piece.model_copy(update={"published_at": piece.published_at or receipt.at})
        else:
            del self.pages[slug_of(site_action(action))]


class InMemoryTools(InMemoryConnector):
    """Tools of one server, each with the digest of its description; a call is only remembered."""

    name = "in-memory-tools"
    capability = Capability.TOOLS

    def __init__(self, offered: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.offered = dict(offered or {})
        self.called: list[CallTool] = []

    async def preview(self, action: Action) -> Diff:
        if not isinstance(action, CallTool):
            raise Permanent(f"a server of tools cannot {action.kind}")
        known = self.offered.get(action.tool)
        if action.terms is None or known is None or known != action.terms.digest:
            raise Permanent(f"{action.name} is not mapped, or not there, or another one by now")
        return tool_diff(action, known)

    def _apply(self, action: Action, receipt: Receipt) -> None:
        assert isinstance(action, CallTool)
        self.called.append(action)


class InMemoryCrm(InMemoryConnector):
    """A customer database that knows everybody whose address ends in ``example.org``."""

    name = "in-memory-crm"
    capability = Capability.CRM

    def __init__(self) -> None:
        super().__init__()
        self.notes: dict[str, str] = {}

    async def preview(self, action: Action) -> Diff:
        match action:
            case AddNote() if action.email.endswith("@example.org"):
                return add_diff(action, f"contact of {action.email}")
            case ArchiveNote() if action.note_id in self.notes:
                return archive_diff(action, self.notes[action.note_id], "1")
        raise Permanent(f"the customer database cannot {action.kind} this")

    def _apply(self, action: Action, receipt: Receipt) -> None:
        if isinstance(action, ArchiveNote):
            del self.notes[action.note_id]
        elif isinstance(action, AddNote):
            self.notes[receipt.reference] = action.text


class InMemoryAnalytics:
    def __init__(self, pages: dict[str, tuple[ContentMetrics, ...]]) -> None:
        self._pages = pages

    async def measure(self, slug: str) -> list[ContentMetrics]:
        return list(self._pages.get(slug, ()))


class InMemorySource(ReadingSource):
    """Records that were put there; a cursor is the number of those that were read. Normalised by ``understood_as``."""

    streams: tuple[str, ...] = ("records",)

    def __init__(
        self, name: str = "in-memory-source", *, normalise: Callable[[bytes, datetime], ImportReport], page: int = 2
    ) -> None:
        self.name = name
        self.records: list[Record] = []
        self.failures: deque[EffectError] = deque()
        self._normalise = normalise
        self._page = page

    async def read(self, stream: str, cursor: str, *, now: datetime) -> Page:
        if self.failures:
            raise self.failures.popleft()
        start = int(cursor or 0)
        end = min(start + self._page, len(self.records))
        return Page(records=tuple(self.records[start:end]), cursor=str(end), more=end < len(self.records))

    def normalise(self, stream: str, raw: bytes, *, at: datetime) -> ImportReport:
        return self._normalise(raw, at)


class InMemorySources:
    """Sources by the name of their connection."""

    def __init__(self, **sources: Source) -> None:
        self.by_name: dict[str, Source] = dict(sources)
        self.bells: dict[str, Bell] = {}

    async def source(self, connection: str) -> Source | None:
        return self.by_name.get(connection)

    async def bell(self, connection: str) -> Bell | None:
        return self.bells.get(connection)


class InMemoryBell:
    """Rings when it is told to, or breaks as it is told. ``listening`` is how many listen now."""

    def __init__(self) -> None:
        self.listening = 0
        self.begun = 0
        self._said: asyncio.Queue[EffectError | None] = asyncio.Queue()

    def ring(self, error: EffectError | None = None) -> None:
        self._said.put_nowait(error)

    async def rings(self) -> AsyncGenerator[None, None]:
        self.listening += 1
        self.begun += 1
        try:
            yield
            while True:
                error = await self._said.get()
                if error is not None:
                    raise error
                yield
        finally:
            self.listening -= 1


class InMemoryNotifier:
    """Services that keep what they are told, until one is broken."""

    def __init__(self, services: Sequence[str] = ()) -> None:
        self.services = tuple(services)
        self.sent: list[tuple[str, Notification]] = []
        self.broken: set[str] = set()

    async def send(self, message: Notification, *, to: Collection[str]) -> tuple[ServiceAnswer, ...]:
        return tuple([self._take(service, message) for service in self.services if service in to])

    def _take(self, service: str, message: Notification) -> ServiceAnswer:
        if service in self.broken:
            return ServiceAnswer(service=service, ok=False, said="it did not take it")
        self.sent.append((service, message))
        return ServiceAnswer(service=service, ok=True, said="delivered")
