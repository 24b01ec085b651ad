"""``steward memory upkeep | archives | attach``: what is kept in the database, and what in files."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import OPERATOR, System, now, with_system
from cli.output import EXIT_FAILED, AsJson, print_json, print_table, say
from domain.errors import Retryable
from domain.event import new_event
from domain.policies import RetentionPolicy
from domain.retention import MonthAttached, Segment, Upkeep

if TYPE_CHECKING:
    from cli.steering import Steering

_PATIENCE = 600.0  # seconds the upkeep is watched before the command lets it go on alone


def register(memory_app: typer.Typer) -> None:
    """Add the commands to those of ``memory``."""
    memory_app.command("upkeep")(upkeep)
    memory_app.command("archives")(archives)
    memory_app.command("attach")(attach)


def upkeep(*, as_json: AsJson = False) -> None:
    """Prove the log, sum up what is closed, archive old months, check recall: now instead of at night. Exit 1 on a problem."""

    from cli.steering import with_steering  # noqa: PLC0415 - a second of import that looking at the memory has no use for

    async def work(steering: "Steering") -> Upkeep:
        at = now()
        run_id = await steering.gateway.start_upkeep(now=at)
        try:
            await asyncio.wait_for(steering.client.get_workflow_handle(run_id, result_type=str).result(), _PATIENCE)
        except TimeoutError as error:
            raise Retryable(f"{run_id} is still at work", hint="it goes on by itself; look again later") from error
        found = await steering.memory.state.get(Upkeep, run_id.partition("/")[2])
        if found is None:
            raise Retryable(f"{run_id} left no record", hint="look at it in the Web UI")
        return found

    done = with_steering(work, as_json=as_json)
    if as_json:
        print_json(done)
    else:
        say(done.line, style="red" if done.problem else "")
    if done.problem:
        raise typer.Exit(EXIT_FAILED)


def archives(*, as_json: AsJson = False) -> None:
    """Where the events of each month are."""

    async def work(system: System) -> list[Segment]:
        return [segment for segment in await system.memory.archive.segments() if not segment.empty]

    found = with_system(work, as_json=as_json)
    if as_json:
        print_json(found)
        return
    print_table("Months of the log", ("month", "where", "sealed", "events", "seq"), [_row(segment) for segment in found])


def attach(
    partition: Annotated[str, typer.Argument(metavar="MONTH", help="As `steward memory archives` shows it: event_2026_03.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Put an archived month back into the database, after proving its file. Some days later it is archived again."""

    async def work(system: System) -> tuple[bool, float]:
        at = now()
        event = new_event(MonthAttached(partition=partition, at=at), at=at, key=(partition, at.isoformat()), actor=OPERATOR)
        policy = (await system.memory.policies.in_force(RetentionPolicy)).document
        return await system.memory.archive.attach(partition, event), policy.keep_attached_days

    done, days = with_system(work, as_json=as_json)
    if as_json:
        print_json({"month": partition, "attached": done})
    elif done:
        say(f"{partition} is in the database again, for {days:g} {'day' if days == 1 else 'days'}; its file stays where it is")
    else:
        say(f"{partition} is in the database already")


def _row(segment: Segment) -> tuple[Any, ...]:
    sealed = segment.manifest
    where = f"{segment.place.value}{'' if segment.over else ', being written'}"
    if sealed is None:
        return segment.partition, where, "no", "", ""
    return segment.partition, where, f"root {sealed.last_hash[:12]}…", f"{sealed.events:,}", f"{sealed.first_seq}–{sealed.last_seq}"
