"""``steward schedule list | pause | resume | trigger``: the times at which runs start by themselves."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer
from temporalio.client import Client, ScheduleDescription, ScheduleHandle
from temporalio.service import RPCError, RPCStatusCode

from cli.output import AsJson, print_json, print_table, say
from cli.steering import Steering, with_steering
from domain.errors import NotFound
from domain.wording import clock

schedule_app = typer.Typer(no_args_is_help=True, help="The times at which runs start by themselves.")

Which = Annotated[str, typer.Argument(metavar="ID", help="The schedule's id, as `schedule list` shows it.")]
Note = Annotated[str, typer.Option(help="A word for the record.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    app.add_typer(schedule_app, name="schedule")


@schedule_app.command("list")
def schedule_list(*, as_json: AsJson = False) -> None:
    """When runs start by themselves."""

    async def work(steering: Steering) -> list[ScheduleDescription]:
        return [await _described(steering.client, s.id) async for s in await steering.client.list_schedules()]

    found = with_steering(work, as_json=as_json, needs_worker=False)
    if as_json:
        print_json([_as_json(schedule) for schedule in found])
        return
    rows = [(s.id, _condition(s), _next(s), s.schedule.state.note or "") for s in found]
    print_table("Schedules", ("id", "state", "next", "note"), rows)


@schedule_app.command("pause")
def schedule_pause(schedule_id: Which, *, note: Note = "paused by the operator", as_json: AsJson = False) -> None:
    """Let a schedule rest."""
    _steer(schedule_id, lambda handle: handle.pause(note=note), as_json=as_json)


@schedule_app.command("resume")
def schedule_resume(schedule_id: Which, *, note: Note = "resumed by the operator", as_json: AsJson = False) -> None:
    """Let it run again."""
    _steer(schedule_id, lambda handle: handle.unpause(note=note), as_json=as_json)


@schedule_app.command("trigger")
def schedule_trigger(schedule_id: Which, *, as_json: AsJson = False) -> None:
    """Run it now, once, whether it rests or not."""
    _steer(schedule_id, lambda handle: handle.trigger(), as_json=as_json)


def _steer(schedule_id: str, how: Callable[[ScheduleHandle], Awaitable[None]], *, as_json: bool) -> None:
    async def work(steering: Steering) -> ScheduleDescription:
        try:
            await how(steering.client.get_schedule_handle(schedule_id))
            return await _described(steering.client, schedule_id)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            raise NotFound(f"there is no schedule {schedule_id!r}", hint="`./steward schedule list` shows them") from error

    described = with_steering(work, as_json=as_json, needs_worker=False)
    if as_json:
        print_json(_as_json(described))
    else:
        say(f"{schedule_id}: {_condition(described)}, next {_next(described)}")


async def _described(client: Client, schedule_id: str) -> ScheduleDescription:
    return await client.get_schedule_handle(schedule_id).describe()


def _as_json(schedule: ScheduleDescription) -> dict[str, Any]:
    coming = schedule.info.next_action_times
    state = schedule.schedule.state
    return {"id": schedule.id, "paused": state.paused, "note": state.note or "", "next": coming[0].isoformat() if coming else ""}


def _condition(schedule: ScheduleDescription) -> str:
    return "paused" if schedule.schedule.state.paused else "on"


def _next(schedule: ScheduleDescription) -> str:
    coming = schedule.info.next_action_times
    return clock(coming[0]) if coming else "never"
