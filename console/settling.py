"""The operator's word on an effect that nobody could find out about, or on an undoing that failed: a run waits for it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from activities.steps import SettleInput
from console.house import House
from domain.actions import Risk
from domain.effects import Effect
from domain.errors import DecisionRefused, InvalidInput, NotFound
from domain.event import EventData
from domain.runs import Alert, AlertClosed
from memory.memory import Memory

_KINDS = ("unknown/", "undo/")  # of alerts, by the beginning of their keys; the effect's key follows
Record = Callable[[EventData, dict[str, int]], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Unsettled:
    """``yes`` and ``no`` are what the operator can say. ``effect`` is None where the ledger does not know it."""

    alert: Alert
    effect: Effect | None

    @property
    def yes(self) -> str:
        return "It happened" if self.alert.key.startswith("unknown/") else "I undid it by hand"

    @property
    def no(self) -> str:
        return "It did not" if self.alert.key.startswith("unknown/") else "Try to undo it again"

    @property
    def needs_proof(self) -> bool:
        """Money or stock, there or back; so does what nobody knows."""
        if self.effect is None:
            return True
        inverse = self.effect.inverse()
        return max(self.effect.action.spec.risk, inverse.spec.risk if inverse else Risk.R0) >= Risk.R2


def waits_for_word(alert: Alert) -> bool:
    return alert.open and alert.key.startswith(_KINDS)


async def unsettled(memory: Memory, key: str) -> Unsettled:
    """By the key of its alert. Raises NotFound, InvalidInput."""
    alert = await memory.state.get(Alert, key)
    if alert is None:
        raise NotFound("there is no such alert", hint="the first page lists those that are open")
    if not waits_for_word(alert):
        raise InvalidInput("nobody waits for a word on this", hint="the first page shows what waits")
    return await of_alert(memory, alert)


async def of_alert(memory: Memory, alert: Alert) -> Unsettled:
    found = await memory.ledger.effects(key=alert.key.partition("/")[2])
    return Unsettled(alert=alert, effect=next(iter(found), None))


async def settle(house: House, found: Unsettled, *, happened: bool, by: str, now: datetime, record: Record) -> str:
    """Take the word to the run, and close the alert; what came of it. Where no run waits for it any more, that is said.

    Raises Retryable where no worker takes it: then nothing is closed.
    """
    alert = found.alert
    version = await house.memory.state.version(Alert, alert.key)
    word = SettleInput(key=alert.key.partition("/")[2], happened=happened, by=by, now=now)
    try:
        await house.gateway.settle(alert.run_id, word)
        said = found.yes if happened else found.no
    except (NotFound, DecisionRefused):
        said = "No run waits for this word any more"
    await record(AlertClosed(key=alert.key, by=by), {f"alert/{alert.key}": version})
    return f"{said}: {alert.text}"
