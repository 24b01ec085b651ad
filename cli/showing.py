"""One question or one run, in full."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from activities.undoing import what_to_undo
from cli.choosing import choose
from cli.context import System, now
from cli.output import console, print_table, say
from cli.times import Times
from domain.actions import Action, PlacePurchaseOrder, PublishContent, SendReply, UnpublishContent
from domain.approvals import Approval, ApprovalStatus
from domain.decisions import Proposal
from domain.effects import Effect
from domain.entities import ContentPiece, Message, Ticket
from domain.errors import NotFound
from domain.event import Event
from domain.leaves import leaves
from domain.runs import Run
from domain.story import story
from domain.undoing import Undoing
from domain.wording import counted, left

_FIRST_LINES, _FIRST_FACTS, _SHORT = 12, 8, 300  # of a page's text, of its facts, and of the characters of a cell
_STRUCTURED_DATA = "piece.json_ld"
_TOLD_ELSEWHERE = ("piece.body", "piece.facts", _STRUCTURED_DATA)
_SEE = "`./steward inbox` and `./steward state list run` show what there is"


@dataclass(frozen=True, kw_only=True)
class Question:
    approval: Approval
    ticket: Ticket | None


@dataclass(frozen=True, kw_only=True)
class RunStory:
    """A run with everything it did, oldest first, and what it waits for."""

    run: Run
    events: list[Event]
    effects: list[Effect]
    undoing: Undoing  # what can be undone of all these effects
    asks: list[Approval]
    ticket: Ticket | None


Shown = Question | RunStory


async def look_up(system: System, which: str) -> Shown:
    """The question or the run that ``which`` names, whole or shortened. Raises NotFound or InvalidInput."""
    try:
        approval = await find_approval(system, which)
        return Question(approval=approval, ticket=await _ticket(system, approval.proposal.run_id))
    except NotFound:
        return await _story(system, (await find_run(system, which)).run_id)


async def find_approval(system: System, which: str) -> Approval:
    """Those that wait come first. Raises NotFound, or InvalidInput where several fit."""
    found = [a for a in await system.memory.state.find(Approval) if a.approval_id.startswith(which)]
    waiting = [a for a in found if a.status is ApprovalStatus.PENDING] or found
    return choose(waiting, which, key=lambda a: a.approval_id, what="question", hint="see `./steward inbox`")


async def find_run(system: System, which: str) -> Run:
    """Raises NotFound, or InvalidInput where several fit."""
    if run := await system.memory.state.get(Run, which):
        return run
    return choose(await system.memory.state.find(Run), which, key=lambda r: r.run_id, what="run", hint=_SEE)


def run_of(shown: Shown) -> str:
    return shown.approval.proposal.run_id if isinstance(shown, Question) else shown.run.run_id


def print_shown(shown: Shown, times: Times, *, full: bool) -> None:
    """For people. Unless ``full``, a page is shown by its beginning, and what is left out is named."""
    if isinstance(shown, RunStory):
        _print_run(shown, times)
        return
    whole = full or not isinstance(shown.approval.proposal.action, PublishContent | UnpublishContent)
    left_out = [what for what in _print_question(shown, times, full=whole) if what]
    if left_out:
        say(f"left out: {', '.join(left_out)}; --full shows it, --json has it as it is kept")


def web_ui_link(ui_url: str | None, run_id: str) -> str:
    return f"{ui_url}/namespaces/default/workflows/{quote(run_id, safe='')}" if ui_url else ""


async def _story(system: System, run_id: str) -> RunStory:
    run = await system.memory.state.get(Run, run_id)
    assert run is not None
    pending = await system.memory.state.find(Approval, status=ApprovalStatus.PENDING)
    return RunStory(
        run=run,
        events=await _all_events(system, run_id),
        effects=await system.memory.ledger.effects(run_id=run_id),
        undoing=await what_to_undo(run_id, state=system.memory.state, ledger=system.memory.ledger, everything=True),
        asks=[a for a in pending if a.proposal.run_id == run_id],
        ticket=await _ticket(system, run_id),
    )


async def _all_events(system: System, run_id: str) -> list[Event]:
    events: list[Event] = []
    while page := await system.memory.log.read(after=events[-1].seq if events else 0, correlation_id=run_id):
        events += page
    return events


async def _ticket(system: System, run_id: str) -> Ticket | None:
    return await system.memory.state.get(Ticket, run_id.removeprefix("support/")) if run_id.startswith("support/") else None


def _print_question(question: Question, times: Times, *, full: bool) -> list[str]:
    """What was left out, in words; empty where a part was shown as a whole."""
    approval, proposal = question.approval, question.approval.proposal
    say(f"{proposal.action.summary()}", style="bold")
    say(f"{proposal.action.kind} {approval.approval_id} ({approval.status}), asked {times.clock(approval.requested_at)}")
    for label, text in (("why", proposal.why.reason), ("why you", "; ".join(proposal.gate.reasons)), ("run", proposal.run_id)):
        say(f"{label}: {text}")
    if question.ticket and question.ticket.last_inbound:
        _print_message(question.ticket.last_inbound, "The customer wrote", times)
    left_out = [_print_action(proposal.action, full=full), _print_changes(proposal, full=full), _print_facts(proposal, full=full)]
    _print_grounds(approval, times)
    return left_out


def _print_action(action: Action, *, full: bool) -> str:
    match action:
        case PublishContent():
            return _print_page(action.piece, full=full)
        case SendReply() if action.body:
            _print_text("Proposed text", action.body)
        case PlacePurchaseOrder():
            lines = action.purchase_order.lines
            rows = [(line.sku, line.title, line.units, line.unit_cost * line.units, line.why) for line in lines]
            print_table("Lines", ("sku", "article", "units", "cost", "why"), rows)
    return ""


def _print_page(piece: ContentPiece, *, full: bool) -> str:
    say(f"title: {piece.title}")
    say(f"description: {piece.description}")
    lines = piece.body.strip().splitlines()
    shown = lines if full else lines[:_FIRST_LINES]
    _print_text("Proposed text", "\n".join(shown))
    return counted(len(lines) - len(shown), "more line") + " of the text" if len(shown) < len(lines) else ""


def _print_changes(proposal: Proposal, *, full: bool) -> str:
    """Field by field. What a page says in its text and from which facts stands elsewhere."""
    before, after = leaves(proposal.diff.before), leaves(proposal.diff.after)
    changed = [name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)]
    told = [name for name in changed if full or not (name.startswith(_TOLD_ELSEWHERE) or _says_nothing(before, after, name))]
    rows = [(name, _cell(before.get(name, ""), full=full), _cell(after.get(name, ""), full=full)) for name in told]
    print_table("Before and after", ("field", "before", "after"), rows, empty="nothing changes")
    return "structured data" if any(name.startswith(_STRUCTURED_DATA) for name in {*changed} - {*told}) else ""


def _says_nothing(before: Mapping[str, str], after: Mapping[str, str], name: str) -> bool:
    return {before.get(name, ""), after.get(name, "")} <= {"", "null", "[]", "{}"}


def _print_facts(proposal: Proposal, *, full: bool) -> str:
    facts = list(proposal.why.facts.items())
    shown = facts if full else facts[:_FIRST_FACTS]
    print_table("Facts", ("fact", "value"), [(name, _cell(value, full=full)) for name, value in shown], empty="none")
    return counted(len(facts) - len(shown), "more fact") if len(shown) < len(facts) else ""


def _cell(text: str, *, full: bool) -> str:
    return text if full or len(text) <= _SHORT else f"{text[:_SHORT]}…"


def _print_grounds(approval: Approval, times: Times) -> None:
    proposal = approval.proposal
    print_table("Auditor", ("severity", "finding"), [(f.severity, f.text) for f in proposal.verdict.findings], empty="no objection")
    for moved in approval.moved:
        say(f"moved since last shown: {moved}")
    say(f"confidence {proposal.why.confidence:.2f} by {proposal.why.engine}; once done it is {proposal.action.reversibility}")
    if approval.status is ApprovalStatus.PENDING:
        say(f"{left(approval.expires_at - now())} left, until {times.clock(approval.expires_at)}; then {approval.on_expiry}")


def _print_run(shown: RunStory, times: Times) -> None:
    run = shown.run
    say(f"{run.run_id}", style="bold")
    ended = f", ended {times.clock(run.finished_at)}" if run.finished_at else ""
    state = "waits for you" if shown.asks else run.status
    say(f"{run.workflow}: {state}{' (taken back)' if run.reverted else ''}; started {times.clock(run.started_at)}{ended}")
    if run.result:
        say(f"result: {run.result}")
    for message in shown.ticket.messages if shown.ticket else ():
        _print_message(message, message.direction, times)
    say("Steps", style="bold")
    for at, line in story(shown.events):
        say(f"  {times.clock(at)}  {line}")
    can = {u.effect.key: "yes" for u in shown.undoing.undo} | {s.effect.key: f"no: {s.why}" for s in shown.undoing.stays}
    rows = [(e.status, e.action.summary(), can.get(e.key, ""), e.key[:8]) for e in shown.effects]
    print_table("Effects outside, newest first", ("status", "what", "can be undone", "key"), rows, empty="none")
    for approval in shown.asks:
        say(f"waits for you: {approval.proposal.action.summary()}  ./steward show {approval.approval_id[:8]}")


def _print_message(message: Message, title: str, times: Times) -> None:
    _print_text(f"{title} ({message.sender}, {times.clock(message.at)})", message.body)


def _print_text(title: str, text: str) -> None:
    console.rule()
    say(title, style="bold")
    say(text)
    console.rule()
