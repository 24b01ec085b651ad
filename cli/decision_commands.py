"""``steward approve | edit | reject | snooze | undo | settle``: the operator's decisions."""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import click
import typer
from pydantic import ValidationError

from activities.steps import SettleInput
from cli.assignments import assigned
from cli.choosing import choose
from cli.context import OPERATOR, now, record
from cli.following import aloud, asked_by, follow, silent
from cli.output import AsJson, print_json, run, say
from cli.showing import find_approval
from cli.steering import Steering, with_steering
from cli.through_console import decide
from domain.approvals import Approval, Verb, Via
from domain.errors import InvalidInput, VersionConflict
from domain.problems import first_problem
from domain.runs import Alert, AlertClosed
from domain.wording import parse_duration
from workflows.deciding import DecisionRequest

_UNSETTLED = ("unknown/", "undo/")  # the keys of alerts about effects
_PATIENCE = 20.0  # seconds a decided run is watched
Which = Annotated[str, typer.Argument(metavar="ID", help="The question's id, or enough of its beginning.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Watch what the run does next.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    for command in (approve, edit, reject, snooze, undo, settle):
        app.command()(command)


def approve(
    which: Which,
    *,
    reason: Annotated[str, typer.Option(help="A word for the record.")] = "",
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Let it happen exactly as shown."""
    _decide(which, lambda a: _request(a, Verb.APPROVE, reason=reason), wait=wait, as_json=as_json)


def reject(
    which: Which,
    *,
    reason: Annotated[str, typer.Option(help="Why not; Steward learns from it.")] = "",
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Do not do it."""
    _decide(which, lambda a: _request(a, Verb.REJECT, reason=reason), wait=wait, as_json=as_json)


def edit(
    which: Which,
    *,
    field: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Change one field; repeat as needed.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="A JSON file with the whole edited action.")] = None,
    reason: Annotated[str, typer.Option(help="A word for the record.")] = "",
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Change it and let the changed one happen; without options your editor opens."""
    _decide(
        which, lambda a: _request(a, Verb.EDIT, reason=reason, edited=_edited(a, field or [], file)), wait=wait, as_json=as_json
    )


def snooze(
    which: Which,
    *,
    duration: Annotated[str, typer.Option("--for", help="How long: 30m, 2h, 1d.")] = "2h",
    as_json: AsJson = False,
) -> None:
    """Put the reminders off; the expiry stays as it is."""

    async def until() -> Any:
        return now() + parse_duration(duration)

    end = run(until, as_json=as_json)
    _decide(which, lambda a: _request(a, Verb.SNOOZE, snooze_until=end), wait=False, as_json=as_json)


def undo(
    which: Which,
    *,
    reason: Annotated[str, typer.Option(help="A word for the record.")] = "",
    as_json: AsJson = False,
) -> None:
    """Take an approval back while it is held: nothing has happened yet, and it waits for you again."""
    _decide(which, lambda a: _request(a, Verb.UNDO, reason=reason), wait=False, as_json=as_json)


def settle(
    key: Annotated[str, typer.Argument(help="The effect's key, from the alert, or enough of it.")],
    *,
    happened: Annotated[bool, typer.Option("--happened/--not-happened", help="What you found in the outside system.")],
    as_json: AsJson = False,
) -> None:
    """Say what became of an effect that nobody could find out about."""

    async def work(steering: Steering) -> str:
        alerts = [a for a in await steering.memory.state.find(Alert) if a.open and a.run_id and a.key.startswith(_UNSETTLED)]
        hint = "the key stands in the alert: `./steward alerts`"
        alert = choose(alerts, key, key=_effect_key, what="unsettled effect", hint=hint)
        version = await steering.memory.state.version(Alert, alert.key)
        word = SettleInput(key=_effect_key(alert), happened=happened, by=OPERATOR, now=now())
        text = await steering.gateway.settle(alert.run_id, word)
        with suppress(VersionConflict):  # raised anew meanwhile: it stays open
            await record(steering, AlertClosed(key=alert.key, by=OPERATOR), at=now(), expected={f"alert/{alert.key}": version})
        return text

    text = with_steering(work, as_json=as_json)
    if as_json:
        print_json({"result": text})
    else:
        say(text)


def _effect_key(alert: Alert) -> str:
    return alert.key.partition("/")[2]


def _decide(which: str, make: Callable[[Approval], DecisionRequest], *, wait: bool, as_json: bool) -> None:
    async def work(steering: Steering) -> dict[str, Any]:
        approval = await find_approval(steering, which)
        request = make(approval)
        before = await steering.memory.log.head()
        result = (await decide(steering, request)).said
        run_id = approval.proposal.run_id
        if not as_json:
            say(result)
        if not wait:
            return {"result": result, "run": run_id}
        rest, _ = await follow(steering, run_id, after=before.seq, patience=_PATIENCE, tell=silent if as_json else aloud)
        asks = [a.approval_id for a in await asked_by(steering, run_id)]
        if not (as_json or asks or rest.ended):
            say(f"  now {rest.stage or rest.status}")
        return {"result": result, "run": run_id, "status": rest.status, "asks": asks}

    answer = with_steering(work, as_json=as_json)
    if as_json:
        print_json(answer)


def _request(approval: Approval, verb: Verb, **given: Any) -> DecisionRequest:
    try:
        return DecisionRequest(
            decision_id=str(uuid4()),
            approval_id=approval.approval_id,
            verb=verb,
            digest=approval.proposal.digest,
            by=OPERATOR,
            via=Via.CLI,
            **given,
        )
    except ValidationError as error:
        where, problem = first_problem(error)
        raise InvalidInput(f"the decision is not valid: {where}: {problem}", hint="mend it and try again") from error


def _edited(approval: Approval, fields: list[str], file: Path | None) -> Any:
    current = approval.proposal.action.model_dump(mode="json")
    if file is not None:
        return _read_json(file)
    return assigned(current, fields) if fields else _in_editor(current)


def _in_editor(current: dict[str, Any]) -> dict[str, Any]:
    """A reply or a page opens as its text, everything else as JSON."""
    if not sys.stdin.isatty():
        raise InvalidInput("there is no terminal for an editor", hint="use --set FIELD=VALUE or --file")
    holder = current.get("piece", current)
    text = holder["body"] if "body" in holder else json.dumps(current, indent=2, ensure_ascii=False)
    try:
        changed = click.edit(text, extension=".txt" if "body" in holder else ".json")
    except click.ClickException as error:
        raise InvalidInput(error.format_message(), hint="set EDITOR, or use --set FIELD=VALUE") from error
    if changed is None or changed == text:
        raise InvalidInput("nothing was changed", hint="save the file in the editor, or use --set FIELD=VALUE")
    if "body" not in holder:
        return dict(_parse_json(changed))
    return {**current, "piece": {**holder, "body": changed}} if "piece" in current else {**current, "body": changed}


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
