"""The modes of a connection, as wrappers: no adapter knows in which mode it is.

live     the adapter itself
dry-run  reads and previews are real and are recorded; an execution is recorded too, and nothing is sent
replay   everything is answered from what dry-run recorded; the system is never called
off      nothing goes through
"""

import asyncio
from base64 import b64decode, b64encode
from datetime import datetime

from connectors.exchanges import Exchanges
from domain.actions import Action, Capability, Receipt
from domain.connections import Delivery, Page, Reading, Record, Webhook
from domain.decisions import Diff
from domain.errors import NotFound, Permanent, Retryable, Stale
from domain.ports import Connector, Source, State, units_in


class DryRunConnector:
    """Everything but the effect."""

    def __init__(self, inner: Connector, exchanges: Exchanges, *, name: str) -> None:
        self.name = name
        self.capability = inner.capability
        self._inner = inner
        self._exchanges = exchanges

    async def check(self) -> str:
        return f"{await self._inner.check()} (dry-run: nothing is sent)"

    async def preview(self, action: Action) -> Diff:
        diff = await self._inner.preview(action)
        await asyncio.to_thread(self._exchanges.note, "preview", action, diff)
        return diff

    async def units(self, sku: str) -> int:
        return await units_in(self._inner, sku)

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        """A receipt that says that nothing happened; what would have been sent is in the record of exchanges."""
        diff = await self.preview(action)
        if diff.record_version != expected_version:
            raise Stale(f"{diff.record} is at version {diff.record_version}, not {expected_version}")
        receipt = Receipt(reference=f"dry-run/{key}", at=now, rehearsed_by=self.name)
        would_be = {"action": action, "receipt": receipt}
        await asyncio.to_thread(self._exchanges.note, "execute", action, would_be)
        return receipt

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        """An effect from when the connection was live can still be found."""
        return await self._inner.find_receipt(action, key=key)


class ReplayConnector:
    """What was recorded, again."""

    def __init__(self, capability: Capability, exchanges: Exchanges, *, name: str) -> None:
        self.name = name
        self.capability = capability
        self._exchanges = exchanges

    async def check(self) -> str:
        return "answers from what was recorded"

    async def preview(self, action: Action) -> Diff:
        recorded = await asyncio.to_thread(self._exchanges.answer, "preview", action)
        if recorded is None:
            raise Permanent(f"{self.name} replays, and this was never shown to it", hint="record it in dry-run first")
        return Diff.model_validate(recorded)

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        diff = await self.preview(action)
        if diff.record_version != expected_version:
            raise Stale(f"{diff.record} is at version {diff.record_version}, not {expected_version}")
        return Receipt(reference=f"replay/{key}", at=now, rehearsed_by=self.name)

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        """Only the system knows of an effect from when the connection was live, and it is not asked."""
        raise Retryable(f"{self.name} replays and cannot tell", hint=_ask_it(self.name))


class OffConnector:
    def __init__(self, capability: Capability, *, name: str) -> None:
        self.name = name
        self.capability = capability

    async def check(self) -> str:
        raise self._no()

    async def preview(self, action: Action) -> Diff:
        raise self._no()

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        raise self._no()

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        """Whether something happened can only be said by the system, and it is not asked."""
        raise Retryable(f"{self.name} is off and cannot tell", hint=_ask_it(self.name))

    def _no(self) -> Permanent:
        return Permanent(f"{self.name} is off", hint=f"`./steward connect {self.name} --mode live`")


class RecordingSource:
    """The source of a connection in dry-run: what it reads can be replayed."""

    def __init__(self, inner: Source, exchanges: Exchanges) -> None:
        self.name = inner.name
        self.streams = inner.streams
        self._inner = inner
        self._exchanges = exchanges

    async def read(self, stream: str, cursor: str, *, now: datetime) -> Page:
        page = await self._inner.read(stream, cursor, now=now)
        if page.records:
            await asyncio.to_thread(self._exchanges.note, "read", [stream, cursor], _as_json(page))
        return page

    def greets(self, request: Webhook) -> bool:
        return self._inner.greets(request)

    def verify_webhook(self, request: Webhook) -> tuple[Record, ...]:
        return self._inner.verify_webhook(request)

    async def understand(self, delivery: Delivery, *, stream: str, state: State) -> Reading:
        return await self._inner.understand(delivery, stream=stream, state=state)

    async def settle(self, delivery: Delivery, *, stream: str, trouble: str) -> None:
        await self._inner.settle(delivery, stream=stream, trouble=trouble)


class ReplayingSource(RecordingSource):
    async def read(self, stream: str, cursor: str, *, now: datetime) -> Page:
        recorded = await asyncio.to_thread(self._exchanges.answer, "read", [stream, cursor])
        return Page(cursor=cursor) if recorded is None else _page(recorded)

    def greets(self, request: Webhook) -> bool:
        """No call means anything while it replays."""
        return False

    def verify_webhook(self, request: Webhook) -> tuple[Record, ...]:
        raise NotFound(f"{self.name} replays what was recorded")


def _ask_it(name: str) -> str:
    return f"`./steward connect {name} --mode dry-run` asks the system and sends nothing"


def _as_json(page: Page) -> dict[str, object]:
    records = [[r.stream, r.external_id, b64encode(r.raw).decode()] for r in page.records]
    return {"records": records, "cursor": page.cursor, "more": page.more}


def _page(recorded: dict[str, object]) -> Page:
    records = recorded["records"]
    assert isinstance(records, list)
    read = tuple(Record(stream=stream, external_id=key, raw=b64decode(raw)) for stream, key, raw in records)
    return Page(records=read, cursor=str(recorded["cursor"]), more=bool(recorded["more"]))
