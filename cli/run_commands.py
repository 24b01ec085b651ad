"""``steward run | mode | kill | rollback | cancel | schedule | policy``: starting, steering and undoing."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import typer
from temporalio.client import Client, ScheduleDescription
from temporalio.service import RPCError

from cli.approval_commands import OPERATOR, _with_system
from cli.context import System
from cli.output import AsJson, console, print_json, print_table, run
from domain.actions import ACTION_TYPES
from domain.decisions import Mode
from domain.effects import Effect, EffectStatus
from domain.errors import InvalidInput, NotFound
from domain.event import EventData, new_event
from domain.runs import Controls, KillSwitchSet, ModeSet, Run

WORKFLOWS = ("support", "replenish", "content")
schedule_app = typer.Typer(no_args_is_help=True, help="The times at which runs start by themselves.")


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    for command, name in ((start_run, "run"), (mode, "mode"), (kill, "kill"), (rollback, "rollback"), (cancel, "cancel")):
        app.command(name)(command)
    app.add_typer(schedule_app, name="schedule")


def start_run(
    what: Annotated[str, typer.Argument(help="replenish, content or digest.")],
    *,
    supplier: Annotated[list[str] | None, typer.Option(help="Replenish only this supplier; repeat as needed.")] = None,
    as_json: AsJson = False,
) -> None:
    """Start a run now. Support runs start by themselves when a message arrives."""

    async def work(system: System) -> str:
        now = datetime.now(UTC)
        match what:
            case "replenish":
                return await system.gateway.start_replenishment(now=now, suppliers=tuple(supplier or ()))
            case "content":
                return await system.gateway.start_content(now=now)
            case "digest":
                return await system.gateway.start_digest(now=now)
        raise InvalidInput(f"there is no run {what!r}", hint="replenish, content or digest")

    run_id = run(lambda: _with_system(work), as_json=as_json)
    if as_json:
        print_json({"run": run_id})
    else:
        console.print(f"started {run_id}; follow it with ./steward show {run_id}", markup=False)


def mode(
    scope: Annotated[str | None, typer.Argument(help="A workflow, or workflow/action-kind.")] = None,
    value: Annotated[Mode | None, typer.Argument(help="off, suggest, ask or auto.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the modes, or set one. No rule means ask."""

    async def work(system: System) -> Controls:
        if scope is not None and value is not None:
            await _record(system, ModeSet(scope=_checked_scope(scope), mode=value, by=OPERATOR))
        return await system.memory.state.get(Controls, "self") or Controls()

    controls = run(lambda: _with_system(work), as_json=as_json)
    if as_json:
        print_json(controls)
        return
    rows = [(s, m) for s, m in sorted(controls.modes.items())]
    print_table("Modes", ("scope", "mode"), rows, empty="none set: everything is asked")
    if controls.kill_switch:
        console.print(f"[red]The kill switch is on[/red]: {controls.kill_reason}")


def kill(
    *,
    off: Annotated[bool, typer.Option("--off", help="Let effects happen again.")] = False,
    reason: Annotated[str, typer.Option(help="A word for the record.")] = "",
    as_json: AsJson = False,
) -> None:
    """Stop every new effect at once. What waits keeps waiting; nothing is lost."""

    async def work(system: System) -> None:
        await _record(system, KillSwitchSet(on=not off, reason=reason, by=OPERATOR))

    run(lambda: _with_system(work), as_json=as_json)
    if as_json:
        print_json({"kill_switch": not off})
    else:
        console.print("Effects happen again." if off else "No new effect happens until `./steward kill --off`.")


def rollback(
    run_id: Annotated[str, typer.Argument(help="The run to undo.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would be undone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Undo what a run did, newest first; says beforehand what cannot be undone."""
    effects = run(lambda: _with_system(lambda s: _to_undo(s, run_id)), as_json=as_json)
    can = [e for e in effects if e.inverse() is not None]
    cannot = [e for e in effects if e.inverse() is None]
    if preview or not as_json:
        _show_preview(can, cannot, as_json=as_json)
    if preview:
        return
    if not yes and not as_json and not typer.confirm("Undo this?"):
        raise typer.Exit(1)
    result = run(lambda: _with_system(lambda s: s.gateway.rollback(run_id, by=OPERATOR)), as_json=as_json)
    if as_json:
        print_json(result)
    else:
        print_table("Undone", ("what",), [(line,) for line in result.compensated])
        print_table("Stays", ("what",), [(line,) for line in result.impossible], empty="nothing")


def cancel(run_id: Annotated[str, typer.Argument(help="The run to stop.")], *, as_json: AsJson = False) -> None:
    """Ask a run to stop; what its current plan began is undone."""

    async def work(system: System) -> None:
        await system.gateway.cancel(run_id)

    run(lambda: _with_system(work), as_json=as_json)
    if as_json:
        print_json({"cancelled": run_id})
    else:
        console.print(f"{run_id} was asked to stop", markup=False)


@schedule_app.command("list")
def schedule_list(*, as_json: AsJson = False) -> None:
    """When runs start by themselves."""

    async def work(system: System) -> list[dict[str, Any]]:
        return [await _described(system.client, s.id) async for s in await system.client.list_schedules()]

    schedules = run(lambda: _with_system(work), as_json=as_json)
    if as_json:
        print_json(schedules)
    else:
        rows = [(s["id"], "paused" if s["paused"] else "on", s["next"], s["note"]) for s in schedules]
        print_table("Schedules", ("id", "state", "next", "note"), rows)


@schedule_app.command("pause")
def schedule_pause(schedule_id: str, *, note: str = "paused by the operator", as_json: AsJson = False) -> None:
    """Let a schedule rest."""
    _steer(schedule_id, "pause", note, as_json=as_json)


@schedule_app.command("resume")
def schedule_resume(schedule_id: str, *, note: str = "resumed by the operator", as_json: AsJson = False) -> None:
    """Let it run again."""
    _steer(schedule_id, "unpause", note, as_json=as_json)


@schedule_app.command("trigger")
def schedule_trigger(schedule_id: str, *, as_json: AsJson = False) -> None:
    """Run it now, once."""
    _steer(schedule_id, "trigger", "", as_json=as_json)


def _steer(schedule_id: str, verb: str, note: str, *, as_json: bool) -> None:
    async def work(system: System) -> dict[str, Any]:
        handle = system.client.get_schedule_handle(schedule_id)
        try:
            await (getattr(handle, verb)(note=note) if note else getattr(handle, verb)())
            return await _described(system.client, schedule_id)
        except RPCError as error:
            raise NotFound(f"no schedule {schedule_id}", hint="`steward schedule list`") from error

    described = run(lambda: _with_system(work), as_json=as_json)
    if as_json:
        print_json(described)
    else:
        console.print(f"{schedule_id}: {'paused' if described['paused'] else 'on'}, next {described['next']}")


async def _described(client: Client, schedule_id: str) -> dict[str, Any]:
    described: ScheduleDescription = await client.get_schedule_handle(schedule_id).describe()
    coming = described.info.next_action_times
    state = described.schedule.state
    return {"id": schedule_id, "paused": state.paused, "note": state.note or "", "next": coming[0].isoformat() if coming else ""}


async def _to_undo(system: System, run_id: str) -> list[Effect]:
    effects = await system.memory.ledger.effects(run_id=run_id, status=EffectStatus.COMMITTED)
    if not effects and await system.memory.state.get(Run, run_id) is None:
        raise NotFound(f"no run {run_id}", hint="ids look like support/mail/…, replenish/…, content/…")
    return [e for e in effects if not e.compensates]


def _show_preview(can: list[Effect], cannot: list[Effect], *, as_json: bool) -> None:
    undo = [(e.action.summary(), inverse.summary()) for e in can if (inverse := e.inverse()) is not None]
    stays = [(e.action.summary(), e.action.spec.reversibility) for e in cannot]
    if as_json:
        print_json({"undo": [{"did": did, "undo": how} for did, how in undo], "stays": [what for what, _ in stays]})
        return
    print_table("Will be undone, in this order", ("did", "undo"), undo)
    print_table("Cannot be undone", ("did", "because it is"), stays, empty="nothing")


def _checked_scope(scope: str) -> str:
    workflow, _, kind = scope.partition("/")
    if workflow not in WORKFLOWS or (kind and kind not in ACTION_TYPES):
        raise InvalidInput(
            f"{scope!r} names no workflow or action", hint=f"one of {', '.join(WORKFLOWS)}, or e.g. support/send-reply"
        )
    return scope


async def _record(system: System, data: EventData) -> None:
    now = datetime.now(UTC)
    await system.memory.log.append([new_event(data, at=now, key=(str(uuid4()),), actor=OPERATOR)])
