"""``steward mode | bypass | kill``: the operator's switches."""

from datetime import timedelta
from typing import Annotated

import typer

from cli.choosing import completing
from cli.context import OPERATOR, System, now, record, with_system
from cli.kill_switch import banner, bypass_lines, open_bypasses
from cli.output import AsJson, print_json, print_table, say
from domain.actions import ACTION_TYPES
from domain.bypasses import LONGEST, BypassClosed, BypassOpened
from domain.decisions import Mode
from domain.errors import InvalidInput
from domain.runs import Controls, KillSwitchSet, ModeSet
from domain.wording import parse_duration

WORKFLOWS = ("support", "replenish", "content")
_LONGEST_REASON = 2_000  # characters
_MEANS = {
    Mode.OFF: "nothing is even proposed",
    Mode.SUGGEST: "proposed and recorded, never done",
    Mode.ASK: "you are asked every time",
    Mode.AUTO: "done within policy, asked beyond it",
}


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    app.command()(mode)
    app.command()(bypass)
    app.command()(kill)


def mode(
    scope: Annotated[
        str | None,
        typer.Argument(help="A workflow, or workflow/action-kind.", autocompletion=completing(WORKFLOWS)),
    ] = None,
    value: Annotated[Mode | None, typer.Argument(help="off, suggest, ask or auto.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show what is asked and what is automatic, or change it. Where nothing is set, everything is asked."""

    async def work(system: System) -> Controls:
        checked = _checked_scope(scope) if scope is not None else ""
        if value is not None:
            await record(system, ModeSet(scope=checked, mode=value, by=OPERATOR), at=now())
        return await system.memory.state.get(Controls, "self") or Controls()

    controls = with_system(work, as_json=as_json)
    if as_json:
        print_json(controls)
        return
    rows = [(s, m, _MEANS[m]) for s, m in _modes(controls) if scope is None or scope.partition("/")[0] == s.partition("/")[0]]
    print_table("Modes", ("scope", "mode", "means"), rows)
    if line := banner(controls):
        say(line, style="red")
    for line in bypass_lines(controls, now()):
        say(line, style="yellow")


def bypass(
    scope: Annotated[
        str | None,
        typer.Argument(help="A workflow, or workflow/action-kind.", autocompletion=completing(WORKFLOWS)),
    ] = None,
    *,
    duration: Annotated[str, typer.Option("--for", help="How long, at most a day: 30m, 2h.")] = "2h",
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")] = "",
    close: Annotated[bool, typer.Option("--close", help="End it now.")] = False,
    as_json: AsJson = False,
) -> None:
    """For a while, do without asking what the mode ask would ask; other rules stay. Without a scope: what is bypassed."""

    async def work(system: System) -> Controls:
        if scope is not None:
            await record(system, _bypassed(_checked_scope(scope), duration, reason, close=close), at=now())
        return await system.memory.state.get(Controls, "self") or Controls()

    controls = with_system(work, as_json=as_json)
    if as_json:
        print_json({"bypasses": open_bypasses(controls, now())})
        return
    for line in bypass_lines(controls, now()) or ["Nothing is bypassed."]:
        say(line)


def _bypassed(scope: str, duration: str, reason: str, *, close: bool) -> BypassOpened | BypassClosed:
    if close:
        return BypassClosed(scope=scope, by=OPERATOR)
    span = parse_duration(duration)
    if not timedelta(0) < span <= LONGEST:
        raise InvalidInput(f"a bypass of {duration} is not allowed", hint="more than nothing and at most 24h")
    if not 0 < len(reason.strip()) <= _LONGEST_REASON:
        raise InvalidInput("a bypass needs a reason", hint="give it with --reason; it is recorded with all that is done so")
    at = now()
    return BypassOpened(scope=scope, until=at + span, reason=reason.strip(), by=OPERATOR, at=at)


def kill(
    *,
    on: Annotated[bool, typer.Option("--on/--off", help="Stop, or let effects happen again.")] = True,
    reason: Annotated[str, typer.Option(help="A word for the record.")] = "",
    as_json: AsJson = False,
) -> None:
    """Stop every new effect at once. What waits keeps waiting; nothing is lost."""

    async def work(system: System) -> None:
        await record(system, KillSwitchSet(on=on, reason=reason, by=OPERATOR), at=now())

    with_system(work, as_json=as_json)
    if as_json:
        print_json({"kill_switch": on})
    else:
        say("No new effect happens until `./steward kill --off`." if on else "Effects happen again.")


def _modes(controls: Controls) -> list[tuple[str, Mode]]:
    """Each workflow with the mode in force, and the narrower rules under it."""
    scopes = sorted({*WORKFLOWS, *controls.modes})
    return [(scope, controls.mode_of(*_parts(scope))) for scope in scopes]


def _parts(scope: str) -> tuple[str, str]:
    workflow, _, kind = scope.partition("/")
    return workflow, kind


def _checked_scope(scope: str) -> str:
    workflow, slash, kind = scope.partition("/")
    if workflow not in WORKFLOWS or (slash and kind not in ACTION_TYPES):
        hint = f"one of {', '.join(WORKFLOWS)}, or one with an action, such as support/send-reply"
        raise InvalidInput(f"{scope!r} names no workflow or action", hint=hint)
    return scope
