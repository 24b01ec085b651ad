"""``steward mode | kill``: the operator's switches."""

from typing import Annotated

import typer

from cli.choosing import completing
from cli.context import OPERATOR, System, now, record, with_system
from cli.kill_switch import banner
from cli.output import AsJson, print_json, print_table, say
from domain.decisions import Mode
from domain.runs import Controls, KillSwitchSet, ModeSet
from domain.scopes import WORKFLOWS, checked_scope

_MEANS = {
    Mode.OFF: "nothing is even proposed",
    Mode.SUGGEST: "proposed and recorded, never done",
    Mode.ASK: "you are asked every time",
    Mode.AUTO: "done within policy, asked beyond it",
}


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    app.command()(mode)
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
        checked = checked_scope(scope) if scope is not None else ""
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
