"""``steward failures list | label``: what went wrong and why, and the operator's word on it."""

from typing import Annotated

import typer

from cli.choosing import choose, completing
from cli.context import OPERATOR, System, now, record, with_system
from cli.output import AsJson, print_json, print_table, say
from cli.times import Times, operators_times
from domain.failures import Failure, FailureLabelled, RootCause

failures_app = typer.Typer(invoke_without_command=True, help="What went wrong and why; confirm or correct the why.")

_CAUSES = tuple(cause.value for cause in RootCause)


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    app.add_typer(failures_app, name="failures")


@failures_app.callback()
def failures(context: typer.Context) -> None:
    """What went wrong and why; confirm or correct the why."""
    if context.invoked_subcommand is None:
        failures_list()


@failures_app.command("list")
def failures_list(
    *,
    asked: Annotated[bool, typer.Option("--asked", help="Only those whose cause you are asked to confirm.")] = False,
    as_json: AsJson = False,
) -> None:
    """The latest first. `asked` marks the sample whose cause you should confirm: the rest is learned from it."""

    async def work(system: System) -> tuple[list[Failure], Times]:
        return await system.memory.state.find(Failure), await operators_times(system.memory.policies)

    failures, times = with_system(work, as_json=as_json)
    found = [f for f in failures if not asked or (f.asked and not f.confirmed)]
    ordered = sorted(found, key=lambda f: f.at, reverse=True)
    if as_json:
        print_json(ordered)
        return
    rows = [(f.failure_id[:8], times.clock(f.at), f.run_id, f.mode, f.cause, _sure(f)) for f in ordered[:50]]
    print_table("Failures", ("id", "at", "run", "what", "why", ""), rows, empty="nothing went wrong that was noticed")


@failures_app.command("label")
def failures_label(
    which: Annotated[str, typer.Argument(metavar="ID", help="Of `failures list`, or enough of it.")],
    cause: Annotated[RootCause, typer.Argument(help=f"One of {', '.join(_CAUSES)}.", autocompletion=completing(_CAUSES))],
    *,
    mode: Annotated[str, typer.Option(help="What went wrong, in words that repeat; left as it is where you say nothing.")] = "",
    as_json: AsJson = False,
) -> None:
    """Confirm the cause, or give another one."""

    async def work(system: System) -> Failure:
        found = await system.memory.state.find(Failure)
        hint = "`./steward failures list` shows them"
        failure = choose(found, which, key=lambda f: f.failure_id, what="failure", hint=hint)
        label = FailureLabelled(failure_id=failure.failure_id, cause=cause, mode=mode or failure.mode, by=OPERATOR)
        await record(system, label, at=now())
        return await system.memory.state.get(Failure, failure.failure_id) or failure

    failure = with_system(work, as_json=as_json)
    if as_json:
        print_json(failure)
    else:
        say(f"{failure.failure_id[:8]}: {failure.mode}, because of {failure.cause}")


def _sure(failure: Failure) -> str:
    if failure.confirmed:
        return "confirmed"
    return "asked" if failure.asked else f"{failure.labelled_by}, {failure.confidence:.0%}"
