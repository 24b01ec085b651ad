"""``steward inbox | show | approve | edit | reject | snooze | settle``: the operator's decisions."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import click
import typer
from pydantic import ValidationError

from activities.steps import SettleInput
from cli.context import System, open_system
from cli.durations import parse_duration
from cli.output import AsJson, console, print_json, print_table, run
from domain.actions import ACTION, Action
from domain.approvals import Approval, ApprovalStatus, Decision, Verb
from domain.effects import Effect
from domain.entities import Ticket
from domain.errors import InvalidInput, NotFound
from domain.runs import Alert, Run

OPERATOR = "operator"
Which = Annotated[str, typer.Argument(metavar="ID", help="The approval's id, or enough of its beginning.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    for command in (inbox, show, approve, edit, reject, snooze, settle):
        app.command()(command)


def inbox(*, as_json: AsJson = False) -> None:
    """What waits for you, the most urgent first."""
    approvals, alerts = run(lambda: _with_system(_waiting), as_json=as_json)
    if as_json:
        print_json({"approvals": approvals, "alerts": alerts})
        return
    if not approvals and not alerts:
        console.print("Nothing needs you.")
        return
    rows = [(a.approval_id[:8], a.proposal.action.summary(), "; ".join(a.proposal.gate.reasons), _until(a)) for a in approvals]
    print_table("Waiting for you", ("id", "what", "why you", "then"), rows)
    print_table("Alerts", ("level", "what", "what to do"), [(a.level, a.text, a.what_to_do) for a in alerts], empty="none")
    if approvals:
        first = approvals[0].approval_id[:8]
        console.print(
            f"\nLook: ./steward show {first}   Decide: ./steward approve {first} | reject {first} --reason … | edit {first}"
        )


def show(
    which: Annotated[str, typer.Argument(metavar="ID", help="An approval's or a run's id.")], *, as_json: AsJson = False
) -> None:
    """One approval with its before and after, or one run with its effects."""
    found = run(lambda: _with_system(lambda s: _approval_or_run(s, which)), as_json=as_json)
    if as_json:
        print_json(found)
    elif isinstance(found, Approval):
        _show_approval(found)
    else:
        _show_run(*found)


def approve(
    which: Which, *, reason: Annotated[str, typer.Option(help="A word for the record.")] = "", as_json: AsJson = False
) -> None:
    """Let it happen exactly as shown."""
    _decide(which, lambda a: _decision(a, Verb.APPROVE, reason=reason), as_json=as_json)


def reject(
    which: Which, *, reason: Annotated[str, typer.Option(help="Why not; Steward learns from it.")] = "", as_json: AsJson = False
) -> None:
    """Do not do it."""
    _decide(which, lambda a: _decision(a, Verb.REJECT, reason=reason), as_json=as_json)


def edit(
    which: Which,
    *,
    field: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Change one field; repeat as needed.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="A JSON file with the whole edited action.")] = None,
    reason: Annotated[str, typer.Option(help="A word for the record.")] = "",
    as_json: AsJson = False,
) -> None:
    """Change it and let the changed one happen; without options your editor opens."""
    _decide(which, lambda a: _decision(a, Verb.EDIT, reason=reason, action=_edited(a, field or [], file)), as_json=as_json)


def snooze(
    which: Which,
    *,
    duration: Annotated[str, typer.Option("--for", help="How long: 30m, 2h, 1d.")] = "2h",
    as_json: AsJson = False,
) -> None:
    """Put the reminders off; the expiry stays as it is."""
    until = datetime.now(UTC) + run_parse(duration, as_json=as_json)
    _decide(which, lambda a: _decision(a, Verb.SNOOZE, snooze_until=until), as_json=as_json)


def settle(
    key: Annotated[str, typer.Argument(help="The effect's key, from the alert.")],
    *,
    happened: Annotated[bool, typer.Option("--happened/--not-happened", help="What you found in the outside system.")],
    as_json: AsJson = False,
) -> None:
    """Say what became of an effect that nobody could find out about."""

    async def work(system: System) -> str:
        effects = await system.memory.ledger.effects(key=key)
        if not effects:
            raise NotFound(f"no effect {key}", hint="the key stands in the alert: `steward inbox`")
        word = SettleInput(key=key, happened=happened, by=OPERATOR, now=datetime.now(UTC))
        run_id = effects[0].run_id
        alerts = [a for a in await system.memory.state.find(Alert) if a.key.endswith(key) and a.run_id]
        return await system.gateway.settle(alerts[0].run_id if alerts else run_id, word)

    _say(run(lambda: _with_system(work), as_json=as_json), as_json=as_json)


def run_parse(text: str, *, as_json: bool) -> timedelta:
    async def work() -> timedelta:
        return parse_duration(text)

    return run(work, as_json=as_json)


async def find_approval(system: System, which: str) -> Approval:
    """The approval whose id starts with ``which``. Raises NotFound, or InvalidInput where several do."""
    found = [a for a in await system.memory.state.find(Approval) if a.approval_id.startswith(which)]
    waiting = [a for a in found if a.status is ApprovalStatus.PENDING] or found
    if not waiting:
        raise NotFound(f"no approval {which}", hint="see `steward inbox`")
    if len(waiting) > 1:
        raise InvalidInput(f"{which} names {len(waiting)} approvals", hint="give more of the id")
    return waiting[0]


def _decide(which: str, make: Callable[[Approval], Decision], *, as_json: bool) -> None:
    async def work(system: System) -> str:
        approval = await find_approval(system, which)
        return await system.gateway.decide(approval, make(approval), now=datetime.now(UTC))

    _say(run(lambda: _with_system(work), as_json=as_json), as_json=as_json)


def _decision(approval: Approval, verb: Verb, **given: Any) -> Decision:
    return Decision(
        decision_id=str(uuid4()), approval_id=approval.approval_id, verb=verb, digest=approval.proposal.digest, by=OPERATOR, **given
    )


def _edited(approval: Approval, fields: list[str], file: Path | None) -> Action:
    current = approval.proposal.action.model_dump(mode="json")
    if file is not None:
        edited = _read_json(file)
    elif fields:
        edited = current
        for assignment in fields:
            _assign(edited, assignment)
    else:
        text = click.edit(json.dumps(current, indent=2, ensure_ascii=False), extension=".json")
        if text is None:
            raise InvalidInput("nothing was changed", hint="save the file in the editor, or use --set FIELD=VALUE")
        edited = _parse_json(text)
    try:
        return ACTION.validate_python(edited)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        raise InvalidInput(f"the edited action is not valid: {where}: {first['msg']}", hint="mend it and try again") from error


def _assign(action: dict[str, Any], assignment: str) -> None:
    """``amount.amount=12.50`` into nested dicts and lists."""
    path, equals, value = assignment.partition("=")
    if not equals:
        raise InvalidInput(f"{assignment!r} is not FIELD=VALUE", hint="for example --set amount.amount=12.50")
    target: Any = action
    *parents, last = path.split(".")
    try:
        for part in parents:
            target = target[int(part)] if isinstance(target, list) else target[part]
        key: Any = int(last) if isinstance(target, list) else last
        old = target[key]
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise InvalidInput(f"the action has no field {path!r}", hint="see `steward show ID --json`") from error
    target[key] = value if isinstance(old, str) or old is None else _parse_json(value)


def _read_json(file: Path) -> Any:
    try:
        return _parse_json(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read {file}: {error}", hint="give a JSON file") from error


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"not valid JSON: {error}", hint="mend it and try again") from error


async def _with_system(work: Callable[[System], Awaitable[Any]]) -> Any:
    async with open_system() as system:
        return await work(system)


async def _waiting(system: System) -> tuple[list[Approval], list[Alert]]:
    """Approvals by money at stake, then by age; open alerts."""
    approvals = await system.memory.state.find(Approval, status=ApprovalStatus.PENDING)
    now = datetime.now(UTC)
    awake = [a for a in approvals if a.snoozed_until is None or a.snoozed_until <= now]
    awake.sort(key=lambda a: (-(m.amount if (m := a.proposal.action.money()) else 0), a.requested_at))
    return awake, [a for a in await system.memory.state.find(Alert) if a.open]


async def _approval_or_run(system: System, which: str) -> Approval | tuple[Run | None, list[Effect], Ticket | None]:
    effects = await system.memory.ledger.effects(run_id=which)
    found = await system.memory.state.get(Run, which)
    if found is None and not effects:
        return await find_approval(system, which)
    ticket = await system.memory.state.get(Ticket, which.removeprefix("support/")) if which.startswith("support/") else None
    return found, effects, ticket


def _until(approval: Approval) -> str:
    return f"{approval.on_expiry} at {approval.expires_at:%d %b %H:%M} UTC"


def _show_approval(approval: Approval) -> None:
    proposal = approval.proposal
    console.print(f"[bold]{proposal.action.kind}[/bold]  {approval.approval_id}  ({approval.status})", highlight=False)
    console.print(proposal.action.summary(), markup=False)
    for label, text in (("why", proposal.why.reason), ("why you", "; ".join(proposal.gate.reasons)), ("run", proposal.run_id)):
        console.print(f"{label}: {text}", markup=False)
    body = getattr(proposal.action, "body", "") or getattr(getattr(proposal.action, "piece", None), "body", "")
    if body:
        console.rule()
        console.print(body, markup=False)
        console.rule()
    print_table("Before and after", ("field", "before", "after"), proposal.diff.changes(), empty="nothing changes")
    print_table("Facts", ("fact", "value"), list(proposal.why.facts.items()), empty="none")
    print_table("Auditor", ("severity", "finding"), [(f.severity, f.text) for f in proposal.verdict.findings], empty="no objection")
    for moved in approval.moved:
        console.print(f"moved since last shown: {moved}", markup=False)
    undo = proposal.action.spec.reversibility
    console.print(
        f"confidence {proposal.why.confidence:.2f} by {proposal.why.engine}; {undo}; without an answer: {_until(approval)}"
    )


def _show_run(found: Run | None, effects: list[Effect], ticket: Ticket | None) -> None:
    if found is not None:
        console.print(f"[bold]{found.workflow}[/bold]  {found.run_id}  {found.status}  {found.result}", highlight=False)
        for line in (*found.refused, *found.failed, *found.suggested):
            console.print(f"- {line}", markup=False)
    if ticket is not None:
        for message in ticket.messages:
            console.rule(f"{message.direction} {message.at:%d %b %H:%M} {message.sender}")
            console.print(message.body, markup=False)
        console.rule()
    rows = [(e.status, e.action.summary(), "yes" if e.inverse() else "no", e.key[:8]) for e in effects]
    print_table("Effects, newest first", ("status", "what", "can be undone", "key"), rows, empty="none")


def _say(text: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"result": text})
    else:
        console.print(text, markup=False)
