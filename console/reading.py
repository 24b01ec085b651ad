"""What programs may read, as values with a schema: the API and the MCP server both answer with them."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from activities.attending import Standing
from console.diffs import changes
from console.house import House
from console.questions import Row, inbox, question
from domain.approvals import Approval, ApprovalStatus
from domain.catalogue import ENTITY_TYPES, split_stream
from domain.effects import Effect
from domain.errors import InvalidInput, NotFound
from domain.event import Event
from domain.knowledge import Fact
from domain.model import Moment, Value
from domain.runs import Controls, Run
from domain.story import story
from memory.memory import Memory
from memory.views import EventFilter

_STEPS = 500
"""The last events of a run that its story is told of."""


class StatePage(Value):
    """Entities of one kind, those that changed last first. ``total`` counts all that fit."""

    kind: str
    total: int
    limit: int
    offset: int
    items: tuple[dict[str, Any], ...]


class Entity(Value):
    stream: str
    version: int
    body: dict[str, Any]


class EventPage(Value):
    """Newest first. ``next_before`` asks for the page of older ones; None where there is none."""

    items: tuple[Event, ...]
    next_before: int | None


class Belief(Value):
    """A fact that is believed now, the event it comes from, and everything believed under its name before."""

    fact: Fact
    because: Event | None
    history: tuple[Fact, ...]


class Asked(Value):
    """A question. ``digest`` is what a decision has to repeat; ``standing`` is None where it is snoozed or waits no more."""

    approval_id: str
    run_id: str
    summary: str
    risk: str
    digest: str
    needs_you_now: bool
    standing: Standing | None
    approval: Approval


class Waiting(Value):
    """What waits, by its worth; what is snoozed; what was approved and can still be taken back."""

    total: int
    waiting: tuple[Asked, ...]
    asleep: tuple[Asked, ...]
    held: tuple[Asked, ...]


class FieldChange(Value):
    """A field of the outside record that would change."""

    field: str
    before: str
    after: str


class AskedInFull(Value):
    """``bounds`` are (bound, used today, limit) of what the action counts against; ``events`` those of its run, newest first."""

    asked: Asked
    changes: tuple[FieldChange, ...]
    bounds: tuple[tuple[str, str, str], ...]
    events: tuple[Event, ...]


class Step(Value):
    at: Moment
    text: str


class RunStory(Value):
    """A run step by step, oldest first, with its effects and the ids of the questions it waits for."""

    run: Run
    steps: tuple[Step, ...]
    effects: tuple[Effect, ...]
    asks: tuple[str, ...]


class Health(Value):
    """``seq`` is the last event of the log."""

    ok: bool = True
    seq: int
    waiting: int = Field(description="questions that wait for the operator")
    kill_switch: bool


async def states(memory: Memory, kind: str, where: Sequence[str], *, limit: int, offset: int) -> StatePage:
    """``where`` are conditions FIELD=VALUE. Raises InvalidInput."""
    entity, conditions = _entity_type(kind), conditions_of(where)
    found = await memory.views.page(entity, limit=limit, offset=offset, **conditions)
    return StatePage(
        kind=kind,
        total=await memory.views.count(entity, **conditions),
        limit=limit,
        offset=offset,
        items=tuple(one.model_dump(mode="json") for one in found),
    )


async def entity(memory: Memory, kind: str, key: str) -> Entity:
    """Raises NotFound, InvalidInput."""
    split_stream(f"{kind}/{key}")
    found = await memory.state.get(ENTITY_TYPES[kind], key)
    if found is None:
        raise NotFound(f"there is no {kind} {key}", hint=f"list the kind {kind} to see what there is")
    version = await memory.state.version(ENTITY_TYPES[kind], key)
    return Entity(stream=f"{kind}/{key}", version=version, body=found.model_dump(mode="json"))


async def events(memory: Memory, wanted: EventFilter, *, limit: int) -> EventPage:
    found = await memory.views.events(wanted, limit=limit + 1)
    more = len(found) > limit
    return EventPage(items=tuple(found[:limit]), next_before=found[limit - 1].seq if more else None)


async def facts(
    memory: Memory, subject: str, *, predicate: str, world: Moment | None, belief: Moment | None, history: bool, now: Moment
) -> list[Fact]:
    """Now; as of a time in the world or as believed at a time; or everything ever believed."""
    if history:
        found = await memory.facts.history(subject)
    elif world or belief:
        found = await memory.facts.as_of(subject, world=world or now, belief=belief or now)
    else:
        found = await memory.facts.current(subject)
    return [fact for fact in found if predicate in ("", fact.predicate)]


async def why(memory: Memory, subject: str, predicate: str) -> list[Belief]:
    """What is believed now under this name, and where it comes from. Raises NotFound."""
    history = [fact for fact in await memory.facts.history(subject) if fact.predicate == predicate]
    current = await memory.facts.current(subject, predicate=predicate)
    if not history:
        raise NotFound(f"nothing was ever believed of {subject}#{predicate}", hint="the facts of a subject list its predicates")
    return [
        Belief(fact=fact, because=await memory.views.event(fact.source_event), history=tuple(h for h in history if h != fact))
        for fact in current
    ]


async def waiting(house: House, *, limit: int) -> Waiting:
    found = await inbox(house.memory, now=house.clock())
    now = {row.approval.approval_id for row in found.now}
    return Waiting(
        total=await house.memory.views.waiting(),
        waiting=tuple(_asked_row(row, now) for row in found.rows[:limit]),
        asleep=tuple(_asked_row(row, now) for row in found.asleep[:limit]),
        held=tuple(_asked(approval) for approval in found.held[:limit]),
    )


async def asked(house: House, approval_id: str) -> AskedInFull:
    """Raises NotFound."""
    found = await question(house.memory, approval_id, now=house.clock())
    shown = found.approval.proposal.diff
    return AskedInFull(
        asked=_asked(found.approval),
        changes=tuple(FieldChange(field=c.field, before=c.before, after=c.after) for c in changes(shown.before, shown.after)),
        bounds=tuple(found.bounds),
        events=tuple(found.events),
    )


async def run_story(memory: Memory, run_id: str) -> RunStory:
    """Raises NotFound."""
    run = await memory.state.get(Run, run_id)
    if run is None:
        raise NotFound(f"there is no run {run_id}", hint="list the kind run to see what there is")
    news = await memory.views.events(EventFilter(run=run_id), limit=_STEPS)
    questions = [e.stream.removeprefix("approval/") for e in reversed(news) if e.type == "approval.requested"]
    found = [await memory.state.get(Approval, key) for key in questions]
    return RunStory(
        run=run,
        steps=tuple(Step(at=at, text=text) for at, text in story(news[::-1])),
        effects=tuple(await memory.ledger.effects(run_id=run_id)),
        asks=tuple(a.approval_id for a in found if a and a.status is ApprovalStatus.PENDING),
    )


async def health(memory: Memory) -> Health:
    controls = await memory.state.get(Controls, "self") or Controls()
    head = await memory.log.head()
    return Health(seq=head.seq, waiting=await memory.views.waiting(), kill_switch=controls.kill_switch)


def conditions_of(where: Sequence[str]) -> dict[str, str]:
    pairs = [condition.partition("=") for condition in where]
    if wrong := [name for name, sign, _ in pairs if not sign or not name]:
        raise InvalidInput(f"{wrong[0]!r} is not a condition", hint="write FIELD=VALUE, for example status=open")
    return {name: value for name, _, value in pairs}


def _entity_type(kind: str) -> type[Value]:
    if kind not in ENTITY_TYPES:
        raise InvalidInput(f"there is no kind {kind!r}", hint=f"there are {', '.join(sorted(ENTITY_TYPES))}")
    return ENTITY_TYPES[kind]


def _asked_row(row: Row, now: set[str]) -> Asked:
    made = _asked(row.approval)
    return made.model_copy(update={"standing": row.standing, "needs_you_now": made.approval_id in now})


def _asked(approval: Approval) -> Asked:
    proposal = approval.proposal
    return Asked(
        approval_id=approval.approval_id,
        run_id=proposal.run_id,
        summary=proposal.action.summary(),
        risk=proposal.action.risk.name,
        digest=proposal.digest,
        needs_you_now=False,
        standing=None,
        approval=approval,
    )
