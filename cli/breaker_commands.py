"""``steward breaker [reset]``: outside systems that failed too often, and when they are tried again."""

from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from cli.choosing import completing
from cli.context import OPERATOR, System, now, record, with_system
from cli.output import AsJson, print_json, print_table, say
from domain.actions import ACTION_TYPES
from domain.effects import Breaker, BreakerState
from domain.errors import InvalidInput, NotFound
from domain.policies import BoundsPolicy
from domain.runs import BreakerReset
from domain.wording import clock

breaker_app = typer.Typer(help="What failed too often and rests, and when it is tried again.")

_MEANS = {
    BreakerState.CLOSED: "effects go through",
    BreakerState.OPEN: "nothing goes through until the trial",
    BreakerState.HALF_OPEN: "one effect is on trial",
}


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    app.add_typer(breaker_app, name="breaker")


@breaker_app.callback(invoke_without_command=True)
def breaker(context: typer.Context, *, as_json: AsJson = False) -> None:
    """What failed too often and rests, and when it is tried again."""
    if context.invoked_subcommand is not None:
        return

    async def work(system: System) -> tuple[list[Breaker], timedelta]:
        policy = await system.memory.policies.in_force(BoundsPolicy)
        return await system.memory.guards.breakers(), timedelta(seconds=policy.document.breaker_seconds)

    found, pause = with_system(work, as_json=as_json)
    if as_json:
        print_json([_as_json(b, pause) for b in found])
        return
    rows = [(b.connector, b.action_kind, b.state, b.failures, _trial(b, pause), _MEANS[b.state]) for b in found]
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
        known = _known(await system.memory.guards.breakers(), connector, action)
        if known.state is BreakerState.CLOSED and not known.failures:
            raise InvalidInput(f"the breaker of {connector} for {action} is closed already", hint="nothing has to be done")
        # Told first: repeating the reset is harmless, a reset that nobody can read of is not.
        await record(system, BreakerReset(connector=connector, action_kind=action, failures=known.failures, by=OPERATOR), at=now())
        await system.memory.guards.reset_breaker(connector, action)
        return await system.memory.guards.breaker(connector, action)

    closed = with_system(work, as_json=as_json)
    if as_json:
        print_json(closed)
    else:
        say(f"The breaker of {connector} for {action} is closed: effects go through again.")


def _known(breakers: list[Breaker], connector: str, action: str) -> Breaker:
    for one in breakers:
        if (one.connector, one.action_kind) == (connector, action):
            return one
    there = ", ".join(f"{b.connector} {b.action_kind}" for b in breakers) or "none so far"
    raise NotFound(f"there is no breaker of {connector} for {action}", hint=f"there are: {there}")


def _next_trial(found: Breaker, pause: timedelta) -> datetime | None:
    return found.opened_at + pause if found.state is not BreakerState.CLOSED and found.opened_at else None


def _trial(found: Breaker, pause: timedelta) -> str:
    due = _next_trial(found, pause)
    if due is None:
        return ""
    return clock(due) if due > now() else "with the next effect"


def _as_json(found: Breaker, pause: timedelta) -> dict[str, Any]:
    due = _next_trial(found, pause)
    return {**found.model_dump(mode="json"), "next_trial_at": due.isoformat() if due else None}
