"""``steward schedule list | pause | resume | trigger``: the times at which runs start by themselves."""

from typing import Annotated, Any

import typer

from cli.output import AsJson, print_json, print_table, say
from cli.steering import Steering, with_steering
from cli.times import Times, operators_times
from workflows.timetable import Change, Timed, change, schedules

schedule_app = typer.Typer(no_args_is_help=True, help="The times at which runs start by themselves.")

Which = Annotated[str, typer.Argument(metavar="ID", help="The schedule's id, as `schedule list` shows it.")]
Note = Annotated[str, typer.Option(help="A word for the record.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    app.add_typer(schedule_app, name="schedule")


@schedule_app.command("list")
def schedule_list(*, as_json: AsJson = False) -> None:
    """When runs start by themselves."""

    async def work(steering: Steering) -> tuple[list[Timed], Times]:
        return await schedules(steering.client), await operators_times(steering.memory.policies)

    found, times = with_steering(work, as_json=as_json, needs_worker=False)
    if as_json:
        print_json([_as_json(schedule) for schedule in found])
        return
    rows = [(s.schedule_id, _condition(s), _next(s, times), s.note) for s in found]
    print_table("Schedules", ("id", "state", "next", "note"), rows)


@schedule_app.command("pause")
def schedule_pause(schedule_id: Which, *, note: Note = "paused by the operator", as_json: AsJson = False) -> None:
    """Let a schedule rest."""
    _steer(schedule_id, Change.PAUSE, note=note, as_json=as_json)


@schedule_app.command("resume")
def schedule_resume(schedule_id: Which, *, note: Note = "resumed by the operator", as_json: AsJson = False) -> None:
    """Let it run again."""
    _steer(schedule_id, Change.RESUME, note=note, as_json=as_json)


@schedule_app.command("trigger")
def schedule_trigger(schedule_id: Which, *, as_json: AsJson = False) -> None:
    """Run it now, once, whether it rests or not."""
    _steer(schedule_id, Change.TRIGGER, as_json=as_json)


def _steer(schedule_id: str, what: Change, *, note: str = "", as_json: bool) -> None:
    async def work(steering: Steering) -> tuple[Timed, Times]:
        return await change(steering.client, schedule_id, what, note=note), await operators_times(steering.memory.policies)

    described, times = with_steering(work, as_json=as_json, needs_worker=False)
    if as_json:
        print_json(_as_json(described))
    else:
        say(f"{schedule_id}: {_condition(described)}, next {_next(described, times)}")


def _as_json(schedule: Timed) -> dict[str, Any]:
    coming = schedule.next.isoformat() if schedule.next else ""
    return {"id": schedule.schedule_id, "paused": schedule.paused, "note": schedule.note, "next": coming}


def _condition(schedule: Timed) -> str:
    return "paused" if schedule.paused else "on"


def _next(schedule: Timed, times: Times) -> str:
    return times.clock(schedule.next) if schedule.next else "never"
