"""``steward mode | bypass | kill``: the operator's switches."""

from typing import Annotated

import typer

from cli.choosing import completing
from cli.context import OPERATOR, System, now, record, with_system
from cli.kill_switch import banner, bypass_lines
from cli.kill_switch import reason as why
from cli.output import AsJson, print_json, print_table, say
from cli.times import Times, operators_times
from domain.bypasses import BypassClosed, BypassOpened
from domain.decisions import Mode
from domain.runs import Controls, ModeSet
from domain.switches import (
    WORKFLOWS,
    bypass_of,
    checked_mode,
    checked_scope,
    kill_switch_set,
    means,
    modes_in_force,
    on_since,
    open_bypasses,
)
from domain.wording import parse_duration

_LOOKED_AT = 1_000  # changes of the switches


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

    async def work(system: System) -> tuple[Controls, Times]:
        checked = checked_scope(scope) if scope is not None else ""
        if value is not None:
            await record(system, ModeSet(scope=checked, mode=checked_mode(checked, value), by=OPERATOR), at=now())
        controls = await system.memory.state.get(Controls, "self") or Controls()
        return controls, await operators_times(system.memory.policies)

    controls, times = with_system(work, as_json=as_json)
    if as_json:
        print_json(controls)
        return
    rows = [
        (s, m, means(s, m)) for s, m in modes_in_force(controls) if scope is None or scope.partition("/")[0] == s.partition("/")[0]
    ]
    print_table("Modes", ("scope", "mode", "means"), rows)
    if line := banner(controls):
        say(line, style="red")
    for line in bypass_lines(controls, times, at=now()):
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

    async def work(system: System) -> tuple[Controls, Times]:
        if scope is not None:
            await record(system, _bypassed(checked_scope(scope), duration, reason, close=close), at=now())
        controls = await system.memory.state.get(Controls, "self") or Controls()
        return controls, await operators_times(system.memory.policies)

    controls, times = with_system(work, as_json=as_json)
    if as_json:
        print_json({"bypasses": open_bypasses(controls, now())})
        return
    for line in bypass_lines(controls, times, at=now()) or ["Nothing is bypassed."]:
        say(line)


def _bypassed(scope: str, duration: str, reason: str, *, close: bool) -> BypassOpened | BypassClosed:
    if close:
        return BypassClosed(scope=scope, by=OPERATOR)
    return bypass_of(scope, parse_duration(duration), reason, by=OPERATOR, at=now())


def kill(
    *,
    on: Annotated[bool, typer.Option("--on/--off", help="Stop, or let effects happen again.")] = True,
    reason: Annotated[str, typer.Option(help="A word for the record.")] = "",
    as_json: AsJson = False,
) -> None:
    """Stop every new effect at once. What waits keeps waiting; nothing is lost."""

    async def work(system: System) -> str:
        controls = await system.memory.state.get(Controls, "self") or Controls()
        if on and controls.kill_switch and not reason.strip():
            return await _on_already(system, controls)
        await record(system, kill_switch_set(controls, on=on, reason=reason, by=OPERATOR), at=now())
        return ""

    already = with_system(work, as_json=as_json)
    if as_json:
        print_json({"kill_switch": on})
    elif already:
        say(already)
    else:
        say("No new effect happens until `./steward kill --off`." if on else "Effects happen again.")


async def _on_already(system: System, controls: Controls) -> str:
    """Nothing is recorded: who says it twice has no other reason."""
    since = on_since(await system.memory.log.last(stream="controls/self", limit=_LOOKED_AT))
    times = await operators_times(system.memory.policies)
    at = f" since {times.stamp(since)}" if since else ""
    return f"The kill switch was on already{at}: {why(controls)}. `./steward kill --off` ends it."
