"""What the inbox knows of a question: its standing, what it would do in people's terms, and what speaks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from activities.attending import Attention, Standing, look
from console.diffs import Told, told
from console.places import place_of_fact
from domain.actions import PublishContent, Risk, SendReply
from domain.approvals import Approval, ApprovalRequested, ApprovalStatus
from domain.entities import Order, Ticket
from domain.errors import NotFound
from domain.event import Event
from memory.memory import Memory
from memory.views import EventFilter

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
"""Tags in the text are shown as text, and a link leads to the web or nowhere."""
_RECENT = 100


@dataclass(frozen=True, kw_only=True)
class Row:
    """A question in the list. ``standing`` is None where it is snoozed."""

    approval: Approval
    standing: Standing | None

    @property
    def needs_proof(self) -> bool:
        return needs_proof(self.approval)

    @property
    def must_edit(self) -> bool:
        return must_edit(self.approval)


@dataclass(frozen=True, kw_only=True)
class Inbox:
    now: tuple[Row, ...]  # the few that need the operator
    later: tuple[Row, ...]
    asleep: tuple[Row, ...]
    held: tuple[Approval, ...]  # approved a few seconds ago: nothing has begun, and it can be taken back

    @property
    def rows(self) -> tuple[Row, ...]:
        return (*self.now, *self.later)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question in full. ``grounds`` are (what, value, link) of the facts it was made from."""

    approval: Approval
    ticket: Ticket | None
    order: Order | None
    told: Told
    page: Markup | None
    grounds: list[tuple[str, str, str]]
    bounds: list[tuple[str, str, str]]
    events: list[Event]
    replaces: Approval | None

    @property
    def needs_proof(self) -> bool:
        return needs_proof(self.approval)

    @property
    def must_edit(self) -> bool:
        return must_edit(self.approval)

    @property
    def waits(self) -> bool:
        return self.approval.status is ApprovalStatus.PENDING


def needs_proof(approval: Approval) -> bool:
    """Money, stock and what cannot be taken back want the password once more."""
    return approval.proposal.action.risk >= Risk.R2


def must_edit(approval: Approval) -> bool:
    """What nobody has written yet cannot be approved as it is."""
    action = approval.proposal.action
    return isinstance(action, SendReply) and action.unwritten


async def inbox(memory: Memory, *, now: datetime) -> Inbox:
    """Everything that waits, by its worth; what is snoozed apart."""
    attention = await look(memory.state, memory.policies, now=now)
    asked = await memory.state.find(Approval, status=ApprovalStatus.PENDING)
    rows = [Row(approval=a, standing=attention.of_approval(a)) for a in asked]
    standing = sorted((r for r in rows if r.standing), key=_rank)
    head = _head(attention)
    return Inbox(
        now=tuple(r for r in standing if r.standing and r.standing.notice.key in head),
        later=tuple(r for r in standing if r.standing and r.standing.notice.key not in head),
        asleep=tuple(r for r in rows if r.standing is None),
        held=await _held(memory, now=now),
    )


async def _held(memory: Memory, *, now: datetime) -> tuple[Approval, ...]:
    """Among those that changed last."""
    return tuple(a for a in await memory.views.page(Approval, limit=_RECENT) if a.is_held(now))


def _rank(row: Row) -> tuple[int, datetime]:
    return row.standing.rank if row.standing else 0, row.approval.requested_at


def _head(attention: Attention) -> set[str]:
    return {one.notice.key for one in attention.head}


async def question(memory: Memory, approval_id: str, *, now: datetime) -> Question:
    """Raises NotFound."""
    approval = await memory.state.get(Approval, approval_id)
    if approval is None:
        raise NotFound(f"there is no question {approval_id}", hint="the inbox lists those that wait")
    proposal = approval.proposal
    kind, _, key = proposal.action.stream.partition("/")
    return Question(
        approval=approval,
        ticket=await _ticket(memory, proposal.run_id),
        order=await memory.state.get(Order, key) if kind == "order" else None,
        told=told(proposal.diff.before, proposal.diff.after),
        page=_rendered(proposal.action),
        grounds=[(name, value, place_of_fact(name)) for name, value in proposal.why.facts.items()],
        bounds=await _bounds(memory, approval, now=now),
        events=await memory.views.events(EventFilter(run=proposal.run_id), limit=20),
        replaces=await _replaced(memory, approval),
    )


async def _replaced(memory: Memory, approval: Approval) -> Approval | None:
    """The question that this one was asked anew for: it is known by the digest of what it showed."""
    if not approval.replaces:
        return None
    wanted = EventFilter(run=approval.proposal.run_id, type=ApprovalRequested.type)
    asked = (ApprovalRequested.model_validate(event.data).approval for event in await memory.views.events(wanted))
    return next((a for a in asked if a.proposal.digest == approval.replaces), None)


async def _ticket(memory: Memory, run_id: str) -> Ticket | None:
    return await memory.state.get(Ticket, run_id.removeprefix("support/")) if run_id.startswith("support/") else None


async def _bounds(memory: Memory, approval: Approval, *, now: datetime) -> list[tuple[str, str, str]]:
    """(bound, used today, limit) of what the action counts against."""
    used = await memory.guards.used(now=now)
    return [(bound.value, str(used[bound][0]), str(used[bound][1] or "no limit")) for bound in approval.proposal.action.charges()]


def _rendered(action: Any) -> Markup | None:
    if not isinstance(action, PublishContent):
        return None
    return Markup(_MARKDOWN.render(action.piece.body))  # noqa: S704 - rendered with tags escaped, see above


def fields_with(values: Mapping[str, str], problems: Mapping[str, str], fields: list[Any]) -> list[dict[str, Any]]:
    """Fields for the form: what was typed last instead of what stands in the action, and what is wrong with it."""
    return [{**vars(f), "value": values.get(f.path, f.value), "problem": problems.get(f.path, "")} for f in fields]
