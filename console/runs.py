"""What the console knows of runs: how each one is, what it did, and what undoing it would do."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio.service import RPCError

from activities.undoing import what_to_undo
from console.happenings import Line, line
from console.house import House
from domain import switches
from domain.approvals import Approval
from domain.effects import Effect
from domain.entities import ContentPiece, Ticket
from domain.errors import InvalidInput, NotFound
from domain.event import Event
from domain.runs import Run
from domain.undoing import Undoing
from memory.memory import Memory
from memory.views import EventFilter
from workflows.watching import Rest, how_is

PAGE = 25
_EVENTS = 200
_QUESTIONS = 20
WORKFLOWS = (*switches.WORKFLOWS, "rollback")
STATUSES = ("running", "done", "failed", "cancelled")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A run in the list. ``rest`` is None where it has ended, or nobody knows how it is."""

    run: Run
    rest: Rest | None
    subject: str  # what it is about, in words; empty where its name says so

    @property
    def status(self) -> str:
        return self.rest.status if self.rest else self.run.status

    @property
    def asks(self) -> bool:
        return self.rest is not None and self.rest.asks

    def age(self, now: datetime) -> timedelta:
        """How long it took, or takes so far."""
        return (self.run.finished_at or now) - self.run.started_at


@dataclass(frozen=True, kw_only=True)
class Listed:
    rows: list[Row]
    count: int
    page: int

    @property
    def more(self) -> bool:
        return self.page * PAGE < self.count


@dataclass(frozen=True, kw_only=True)
class RunPage:
    """One run in full. ``run`` is None for those that keep no record of their own; ``lines`` are its last events, oldest first.

    ``plan`` is what undoing it would do since it last began, ``whole`` the same for all that was ever done under its id, where
    that is more. ``undone`` is what undoing it led to, and ``rollback`` the run that does so.
    """

    run_id: str
    run: Run | None
    rest: Rest | None
    lines: list[Line]
    more: bool
    effects: list[Effect]
    questions: list[Approval]
    ticket: Ticket | None
    plan: Undoing
    whole: Undoing | None
    rollback: Run | None
    undone: Event | None

    @property
    def going(self) -> bool:
        if self.rest is not None:
            return not self.rest.ended
        return self.run is not None and self.run.status == "running"

    @property
    def status(self) -> str:
        return self.rest.status if self.rest else self.run.status if self.run else "not known"

    @property
    def being_undone(self) -> bool:
        return self.rollback is not None and self.rollback.status == "running"


async def runs(house: House, *, workflow: str, status: str, page: int) -> Listed:
    """Those that changed last come first. ``page`` counts from 1. Raises InvalidInput."""
    if page < 1 or page > 100_000:
        raise InvalidInput("there is no such page", hint="pages count from 1")
    equals = {name: text for name, text in (("workflow", workflow), ("status", status)) if text}
    views = house.memory.views
    count = await views.count(Run, **equals)
    found = await views.page(Run, limit=PAGE, offset=(page - 1) * PAGE, **equals)
    rests = await asyncio.gather(*(_rest(house, run.run_id) if run.status == "running" else _nothing() for run in found))
    about = await asyncio.gather(*(_subject(house, run.run_id) for run in found))
    rows = [Row(run=run, rest=rest, subject=words) for run, rest, words in zip(found, rests, about, strict=True)]
    return Listed(rows=rows, count=count, page=page)


async def _subject(house: House, run_id: str) -> str:
    """A ticket's subject, a page's title, or what it asked first; ids of runs are made by programs."""
    kind, _, key = run_id.partition("/")
    state = house.memory.state
    match kind:
        case "support":
            ticket = await state.get(Ticket, key)
            return ticket.subject.strip() if ticket else ""
        case "content":
            piece = await state.get(ContentPiece, key)
            return piece.title if piece else ""
        case "propose":
            asked = await _questions(house, run_id)
            return asked[-1].proposal.action.summary() if asked else ""
        case _:
            return ""


async def run_page(house: House, run_id: str) -> RunPage:
    """Raises NotFound."""
    memory = house.memory
    run, rest = await memory.state.get(Run, run_id), await _rest(house, run_id)
    events = await memory.views.events(EventFilter(run=run_id), limit=_EVENTS + 1)
    effects = await memory.ledger.effects(run_id=run_id)
    if run is None and rest is None and not events and not effects:
        raise NotFound(f"there is no run {run_id}", hint="the list of runs has those that there are")
    reverted = await memory.views.events(EventFilter(stream=f"run/{run_id}", type="run.reverted"), limit=1)
    return RunPage(
        run_id=run_id,
        run=run,
        rest=rest,
        lines=[line(event) for event in reversed(events[:_EVENTS])],
        more=len(events) > _EVENTS,
        effects=effects,
        questions=await _questions(house, run_id),
        ticket=await memory.state.get(Ticket, run_id.removeprefix("support/")) if run_id.startswith("support/") else None,
        plan=await what_to_undo(run_id, state=memory.state, ledger=memory.ledger),
        whole=await _whole(memory, run_id) if run and any(e.reserved_at < run.started_at for e in effects) else None,
        rollback=await memory.state.get(Run, f"rollback/{run_id}"),
        undone=reverted[0] if reverted else None,
    )


async def _whole(memory: Memory, run_id: str) -> Undoing:
    return await what_to_undo(run_id, state=memory.state, ledger=memory.ledger, everything=True)


async def _questions(house: House, run_id: str) -> list[Approval]:
    """What it asked last, the newest first."""
    asked = await house.memory.views.events(EventFilter(run=run_id, type="approval.requested"), limit=_QUESTIONS)
    found = [await house.memory.state.get(Approval, key) for key in _keys(asked)]
    return [approval for approval in found if approval is not None]


def _keys(events: Sequence[Event]) -> list[str]:
    return list(dict.fromkeys(event.stream.partition("/")[2] for event in events))


async def _rest(house: House, run_id: str) -> Rest | None:
    """None too where Temporal does not answer: what the log says is shown all the same."""
    try:
        return await how_is(house.client, house.memory.state, run_id)
    except (RPCError, RuntimeError):  # the SDK raises RuntimeError where it cannot connect at all
        return None


async def _nothing() -> None:
    return None
