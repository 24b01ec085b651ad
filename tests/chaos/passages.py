"""Passages: the moments of a run at which its worker can be killed, found by watching a run rather than listed by hand."""

import json
import os
import re
import signal
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, Literal

from temporalio import activity
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    StartActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import ActivityHandle

from activities.restocking import RestockInput
from activities.steps import CarryOutInput, DecisionNote, ProposeInput
from domain.actions import Action, AdjustStock, Capability, Receipt
from domain.approvals import Approval
from domain.decisions import Diff
from domain.effects import Effect, EffectStatus, Reservation
from domain.event import NewEvent
from domain.knowledge import OutboxItem
from domain.model import Moment
from domain.ports import Connector, CountingShop, Ledger, Outbox

RELAY = "relay"
_DIGEST = re.compile(r"-[0-9a-f]{8}$")
NOTICED_WITHIN = timedelta(seconds=2)
"""Heartbeat timeout of the runs here: a death is noticed sooner than in production, so that a kill costs less time."""


_article: ContextVar[str] = ContextVar("article", default="")
"""What the activity at hand is about."""


@dataclass(frozen=True)
class Passage:
    """Of the run (a workflow id, or the relay), the ``number``-th activity it asked for, and a call within it after a slash.

    A step about an ``article`` is known by that, and its number is 0: articles go side by side, in another order each time.
    """

    run: str
    number: int
    step: str
    moment: Literal["before", "after"]
    article: str = ""

    def __str__(self) -> str:
        return f"{self.moment} {self.step} ({self.run}, {self.article or self.number})"


class Tripwire:
    """Knows what its process passes; writes it down in ``journal``, or kills the process at what it has to ``die_at``.

    Each of these passages kills once, in whatever order they come. Those that did are in ``deaths``, for the processes after it.
    """

    def __init__(self, *, die_at: Sequence[Passage] = (), deaths: Path, journal: Path | None = None) -> None:
        self._die_at = set(die_at) - set(written(deaths))
        self._deaths = deaths
        self._journal = journal

    def at_activity(self, moment: Literal["before", "after"]) -> None:
        self._pass("", moment)

    def within_activity(self, call: str) -> None:
        """After a call that changes something, inside the activity at hand."""
        self._pass(f"/{call}", "after")

    def at_delivery(self, item: OutboxItem, moment: Literal["before", "after"]) -> None:
        """A wake-up is known by what it is about: the next process does not count from where this one was.

        The id of a planned order has the time in it, which is another one in each world.
        """
        self._note(Passage(RELAY, 1, f"delivered {item.topic} {_DIGEST.sub('', item.key)}", moment))

    def _pass(self, call: str, moment: Literal["before", "after"]) -> None:
        info, article = activity.info(), _article.get()
        number = 0 if article else int(info.activity_id)  # the SDK numbers them in the order in which the run asks for them
        self._note(Passage(str(info.workflow_id), number, f"{info.activity_type}{call}", moment, article))

    def _note(self, passage: Passage) -> None:
        if self._journal:
            _write(self._journal, passage)
        if passage in self._die_at:
            _write(self._deaths, passage)
            os.kill(os.getpid(), signal.SIGKILL)


def article_of(argument: object) -> str:
    """The SKU of which an activity tells the shop, by what it is given; empty for every other activity."""
    match argument:
        case RestockInput():
            return argument.arrival.sku
        case DecisionNote():
            return argument.decision.decision_id.partition("#")[2]
        case ProposeInput():
            action = argument.planned.action
        case CarryOutInput():
            action = argument.proposal.action
        case Approval():
            action = argument.proposal.action
        case _:
            return ""
    return action.sku if isinstance(action, AdjustStock) else ""


def spread(passages: Sequence[Passage], *, worlds: int) -> list[Passage]:
    """Of a passage that there is for several articles, one article's, each in its turn.

    Every ``worlds``-th of them begins with another article, so that a world that is dealt every so-many-th gets some of each.
    """
    alike: dict[Passage, list[Passage]] = {}
    for passage in passages:
        alike.setdefault(replace(passage, article=""), []).append(passage)
    turns = count()
    return [_of_one(same, next(turns), worlds) if same[0].article else same[0] for same in alike.values()]


def _of_one(alike: Sequence[Passage], turn: int, worlds: int) -> Passage:
    return sorted(alike, key=lambda passage: passage.article)[(turn + turn // worlds) % len(alike)]


def _write(file: Path, passage: Passage) -> None:
    with file.open("a") as lines:
        lines.write(json.dumps(asdict(passage)) + "\n")


def written(journal: Path) -> list[Passage]:
    """What was passed, in order, each once."""
    lines = journal.read_text().splitlines() if journal.exists() else []
    return list(dict.fromkeys(Passage(**json.loads(line)) for line in lines))


class Watched(Interceptor):
    """Passes the tripwire before and after every activity, and lets the server notice a death soon."""

    def __init__(self, tripwire: Tripwire) -> None:
        self._tripwire = tripwire

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        return _WatchedActivities(next, self._tripwire)

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:  # noqa: A002
        return _Impatient


class _WatchedActivities(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, tripwire: Tripwire) -> None:  # noqa: A002
        super().__init__(next)
        self._tripwire = tripwire

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        _article.set(article_of(input.args[0]) if input.args else "")
        self._tripwire.at_activity("before")
        result = await self.next.execute_activity(input)
        self._tripwire.at_activity("after")
        return result


class _Impatient(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_ImpatientCalls(outbound))


class _ImpatientCalls(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:  # noqa: A002
        return self.next.start_activity(replace(input, heartbeat_timeout=NOTICED_WITHIN))


class WatchedLedger:
    """A ledger that passes the tripwire after each change."""

    def __init__(self, ledger: Ledger, tripwire: Tripwire) -> None:
        self._ledger = ledger
        self._tripwire = tripwire

    async def reserve(self, reservation: Reservation, *, connector: str) -> Effect:
        effect = await self._ledger.reserve(reservation, connector=connector)
        self._tripwire.within_activity("reserve")
        return effect

    async def begin(self, key: str, *, now: Moment) -> Effect:
        effect = await self._ledger.begin(key, now=now)
        self._tripwire.within_activity("begin")
        return effect

    async def commit(self, key: str, receipt: Receipt, events: Sequence[NewEvent]) -> Effect:
        effect = await self._ledger.commit(key, receipt, events)
        self._tripwire.within_activity("commit")
        return effect

    async def settle(self, key: str, status: EffectStatus, *, error: str, now: Moment, system_fault: bool = True) -> Effect:
        effect = await self._ledger.settle(key, status, error=error, now=now, system_fault=system_fault)
        self._tripwire.within_activity("settle")
        return effect

    async def effects(self, *, run_id: str = "", key: str = "", status: EffectStatus | None = None) -> list[Effect]:
        return await self._ledger.effects(run_id=run_id, key=key, status=status)


class WatchedConnector:
    """A connector that passes the tripwire when the outside world has changed."""

    def __init__(self, connector: Connector, tripwire: Tripwire) -> None:
        self.name = connector.name
        self.capability: Capability = connector.capability
        self._connector = connector
        self._tripwire = tripwire

    async def check(self) -> str:
        return await self._connector.check()

    async def preview(self, action: Action) -> Diff:
        return await self._connector.preview(action)

    async def units(self, sku: str) -> int:
        assert isinstance(self._connector, CountingShop)
        return await self._connector.units(sku)

    async def execute(self, action: Action, *, key: str, expected_version: str, now: Moment) -> Receipt:
        receipt = await self._connector.execute(action, key=key, expected_version=expected_version, now=now)
        self._tripwire.within_activity("execute")
        return receipt

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        return await self._connector.find_receipt(action, key=key)


class WatchedOutbox:
    """An outbox that passes the tripwire when a wake-up has reached its run but is not marked so, and when it is."""

    def __init__(self, outbox: Outbox, tripwire: Tripwire) -> None:
        self._outbox = outbox
        self._tripwire = tripwire
        self._seen: dict[int, OutboxItem] = {}

    async def pending(self, limit: int = 100) -> list[OutboxItem]:
        items = await self._outbox.pending(limit)
        self._seen = {item.item_id: item for item in items}
        return items

    async def delivered(self, item_ids: Sequence[int]) -> None:
        for item_id in item_ids:
            self._tripwire.at_delivery(self._seen[item_id], "before")
        await self._outbox.delivered(item_ids)
        for item_id in item_ids:
            self._tripwire.at_delivery(self._seen[item_id], "after")

    async def wait(self, seconds: float) -> None:
        await self._outbox.wait(seconds)
