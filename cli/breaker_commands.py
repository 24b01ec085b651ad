"""``steward breaker [reset]``: outside systems that failed too often, and when they are tried again."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from activities.breakers import MEANS, next_trial, reset
from cli.choosing import completing
from cli.context import OPERATOR, System, now, with_system
from cli.output import AsJson, print_json, print_table, say
from cli.times import Times, operators_times
from domain.actions import ACTION_TYPES
from domain.effects import Breaker, BreakerState
from domain.policies import BoundsPolicy

breaker_app = typer.Typer(help="What failed too often and rests, and when it is tried again.")


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    app.add_typer(breaker_app, name="breaker")


@breaker_app.callback(invoke_without_command=True)
def breaker(context: typer.Context, *, as_json: AsJson = False) -> None:
    """What failed too often and rests, and when it is tried again."""
    if context.invoked_subcommand is not None:
        return

    async def work(system: System) -> tuple[list[Breaker], timedelta, Times]:
        policies = system.memory.policies
        pause = timedelta(seconds=(await policies.in_force(BoundsPolicy)).document.breaker_seconds)
        return await system.memory.guards.breakers(), pause, await operators_times(policies)

    found, pause, times = with_system(work, as_json=as_json)
    if as_json:
        print_json([_as_json(b, pause) for b in found])
        return
    rows = [(b.connector, b.action_kind, b.state, b.failures, _trial(b, pause, times), MEANS[b.state]) for b in found]
    columns = ("connector", "action", "state", "failures in a row", "next trial", "means")
    print_table("Breakers", columns, rows, empty="nothing was tried yet")
    if any(b.state is not BreakerState.CLOSED for b in found):
        say("\n./steward breaker reset CONNECTOR ACTION    once the outside system is mended")


@breaker_app.command("reset")
def breaker_reset(
    connector: Annotated[str, typer.Argument(help="The outside system, as `breaker` shows it.")],
    action: Annotated[str, typer.Argument(help="The kind of action.", autocompletion=completing(ACTION_TYPES))],
    *,
    as_json: AsJson = False,
) -> None:
    """Let effects through again at once, because what failed is mended."""

    async def work(system: System) -> Breaker:
        kept = system.memory
        return await reset(kept.log, kept.guards, connector, action, by=OPERATOR, at=now())

    closed = with_system(work, as_json=as_json)
    if as_json:
        print_json(closed)
    else:
        say(f"The breaker of {connector} for {action} is closed: effects go through again.")


def _trial(found: Breaker, pause: timedelta, times: Times) -> str:
    due = next_trial(found, pause)
    if due is None:
        return ""
    return times.clock(due) if due > now() else "with the next effect"


def _as_json(found: Breaker, pause: timedelta) -> dict[str, Any]:
    due = next_trial(found, pause)
    return {**found.model_dump(mode="json"), "next_trial_at": due.isoformat() if due else None}
