"""Changing a connected shop once a key, whatever the shop knows of keys.

Each change is written down first, claimed by one worker, then made. Where its end is hidden (the line broke, a worker died),
the shop is asked for a trace: a refund carries a mark, an order or a stock is as it was to be. A request may still be on its
way when there is no trace yet, so only ``patience`` without one says that it did not happen.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol
from weakref import WeakValueDictionary

from connectors.order_rules import ShopAction, shop_action
from domain.actions import Action, AdjustStock, Capability, Receipt
from domain.attempts import Attempt, AttemptStatus
from domain.decisions import Diff
from domain.errors import Permanent, Retryable, Stale, Unknown
from domain.ids import digest
from domain.ports import Attempts

_PATIENCE = timedelta(minutes=10)  # longer than any shop works on a request


class RemoteShop(Protocol):
    """What a shop's own module gives. Errors are those of ``ports.Connector``."""

    name: str

    async def check(self) -> str: ...

    async def look(self, action: ShopAction) -> Diff:
        """The record now and after ``action``; its version changes with whatever is shown. Raises Permanent."""
        ...

    async def units(self, sku: str) -> int:
        """How many of ``sku`` it says can be sold. Raises NotCounted where it does not count them, and Permanent."""
        ...

    async def change(self, action: ShopAction, *, mark: str, seen: Diff) -> None:
        """Do it, to the record as it was ``seen``. Anything but Unknown means that nothing happened."""
        ...

    async def has_trace(self, action: ShopAction, *, mark: str) -> bool:
        """Whether the shop is as ``action`` makes it; for a refund, whether there is one with ``mark``."""
        ...


class ShopConnector:
    """Refunds, cancellations, addresses and stock of one shop. See ``ports.Connector``."""

    capability = Capability.SHOP

    def __init__(
        self,
        shop: RemoteShop,
        *,
        attempts: Attempts,
        patience: timedelta = _PATIENCE,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = shop.name
        self._shop = shop
        self._attempts = attempts
        self._patience = patience
        self._clock = clock
        self._missed_since: dict[str, datetime] = {}
        self._at_work: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def check(self) -> str:
        return await self._shop.check()

    async def units(self, sku: str) -> int:
        return await self._shop.units(sku)

    async def preview(self, action: Action) -> Diff:
        seen = await self._shop.look(shop_action(action))
        begun = await self._attempts.begun(self.name, action.stream)
        return seen.model_copy(update={"record_version": _version(seen, len(begun))})

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        """Raises Stale where the record or what was done to it moved, Unknown where an earlier attempt may have happened."""
        wanted = shop_action(action)
        async with self._at_work.setdefault(key, asyncio.Lock()):
            attempt = await self._attempts.prepare(self._attempt(action, key, now))
            receipt = _receipt(attempt, action)
            if await self._happened(attempt, wanted):
                return receipt
            await self._do(wanted, attempt, expected_version)
            return receipt

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        attempt = await self._attempts.find(key)
        if attempt is None:
            return None
        receipt = _receipt(attempt, action)
        try:
            return receipt if await self._happened(attempt, shop_action(action)) else None
        except Unknown as error:
            raise Retryable(error.message, hint=error.hint) from None

    async def _do(self, action: ShopAction, attempt: Attempt, expected_version: str) -> None:
        await self._compare(action)
        seen = await self._shop.look(action)
        begun = len(await self._attempts.begun(self.name, action.stream))
        if _version(seen, begun) != expected_version:
            raise Stale(f"{seen.record} is not as it was shown", hint="look at it again")
        if not await self._attempts.begin(attempt.key, expected=begun):
            raise Unknown(f"{self.name} is at this already", hint="look what becomes of it")
        try:
            await self._shop.change(action, mark=attempt.reference, seen=seen)
        except (Retryable, Permanent, Stale):  # it said no
            await self._attempts.settle(attempt.key, AttemptStatus.READY)
            raise
        await self._attempts.settle(attempt.key, AttemptStatus.SENT)

    async def _compare(self, action: ShopAction) -> None:
        """A sale since the stock was shown is nobody's fault: Stale, where ``look`` would call the action impossible."""
        if not isinstance(action, AdjustStock):
            return
        there = await self._shop.units(action.sku)
        if there != action.units_before:
            raise Stale(f"{self.name} has {there} of {action.sku} by now, not {action.units_before}")

    async def _happened(self, attempt: Attempt, action: ShopAction) -> bool:
        """Raises Unknown where it was begun and may still happen."""
        if attempt.status is not AttemptStatus.SENDING:
            return attempt.status is AttemptStatus.SENT
        if await self._shop.has_trace(action, mark=attempt.reference):
            await self._attempts.settle(attempt.key, AttemptStatus.SENT)
            return True
        missed_since = self._missed_since.setdefault(attempt.key, self._clock())
        if self._clock() - missed_since < self._patience:
            hint = "it is looked for again; `steward settle` takes your word"
            raise Unknown(f"{self.name} shows no trace of this yet, and it may be on its way", hint=hint)
        await self._attempts.settle(attempt.key, AttemptStatus.READY)
        del self._missed_since[attempt.key]
        return False

    def _attempt(self, action: Action, key: str, now: datetime) -> Attempt:
        return Attempt(
            connection=self.name,
            key=key,
            stream=action.stream,
            action_kind=action.kind,
            action_digest=action.digest(),
            reference=mark_of(key),
            payload=b"",
            at=now,
        )


def mark_of(key: str) -> str:
    """The name under which the shop keeps what was done under ``key``."""
    return f"steward-{digest(key)[:20]}"


def mark_in(text: str) -> str:
    """The mark that ``text`` carries at its end, as ``marked`` puts it; empty where there is none."""
    _, bracket, rest = text.rstrip().rpartition("[")
    return rest[:-1] if bracket and rest.startswith("steward-") and rest.endswith("]") else ""


def marked(reason: str, mark: str) -> str:
    return f"{reason} [{mark}]".strip()


def unmarked(text: str) -> str:
    return text.rstrip().removesuffix(f"[{mark}]").rstrip() if (mark := mark_in(text)) else text


def _version(seen: Diff, begun: int) -> str:
    return f"{seen.record_version}/{begun}"


def _receipt(attempt: Attempt, action: Action) -> Receipt:
    if attempt.action_digest != action.digest():
        raise Permanent("this key was used for another action")
    return Receipt(reference=attempt.reference, at=attempt.at)
