"""``steward rollback | cancel``: undoing and stopping runs."""

import asyncio
import sys
from typing import Annotated, Any

import typer
from temporalio.client import WorkflowFailureError

from activities.undoing import what_to_undo
from cli.context import OPERATOR
from cli.following import aloud, follow, silent
from cli.output import AsJson, give_up, print_json, print_table, say
from cli.showing import find_run
from cli.steering import Steering, with_steering
from domain.effects import EffectStatus
from domain.errors import InvalidInput, Refused
from domain.undoing import Undoing
from workflows.watching import how_is

_PATIENCE = 120.0  # seconds an undoing is watched


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    app.command()(rollback)
    app.command()(cancel)


def rollback(
    which: Annotated[str, typer.Argument(metavar="RUN", help="The run to undo, or enough of its id.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would be undone.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Not only since it last began: all that was ever done under its id.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Undo what a run did since it last began, newest first; says beforehand what cannot be undone."""
    run_id, plan = with_steering(lambda s: _to_undo(s, which, everything=everything), as_json=as_json, needs_worker=not preview)
    if preview or not as_json:
        _print_preview(run_id, plan, as_json=as_json)
    if preview:
        return
    if not yes:
        _confirm(as_json=as_json)
    answer = with_steering(lambda s: _roll_back(s, run_id, plan, everything=everything, quiet=as_json), as_json=as_json)
    if as_json:
        print_json(answer)
    elif answer["status"] == "done":
        print_table("Undone", ("what",), [(line,) for line in answer["undone"]])
        print_table("Stays", ("what",), [(line,) for line in answer["stays"]], empty="nothing")
    else:
        say("It is not finished: something could not be undone. `./steward alerts` says what to do.", style="red")
    if answer["status"] != "done":
        raise typer.Exit(1)


def cancel(
    which: Annotated[str, typer.Argument(metavar="RUN", help="The run to stop, or enough of its id.")], *, as_json: AsJson = False
) -> None:
    """Ask a run to stop; what its current plan began is undone."""

    async def work(steering: Steering) -> str:
        run_id = (await find_run(steering, which)).run_id
        rest = await how_is(steering.client, steering.memory.state, run_id)
        if rest is None or rest.ended:
            raise InvalidInput(f"{run_id} has ended already", hint=f"`./steward rollback {run_id}` takes back what it did")
        await steering.gateway.cancel(run_id)
        return run_id

    run_id = with_steering(work, as_json=as_json)
    if as_json:
        print_json({"cancelled": run_id})
    else:
        say(f"{run_id} was asked to stop")


async def _to_undo(steering: Steering, which: str, *, everything: bool) -> tuple[str, Undoing]:
    run_id, kept = (await find_run(steering, which)).run_id, steering.memory
    return run_id, await what_to_undo(run_id, state=kept.state, ledger=kept.ledger, everything=everything)


async def _roll_back(steering: Steering, run_id: str, plan: Undoing, *, everything: bool, quiet: bool) -> dict[str, Any]:
    """Undone, or as far as it got: a compensation that fails waits for the operator."""
    head = await steering.memory.log.head()
    undoing = asyncio.create_task(steering.gateway.rollback(run_id, by=OPERATOR, everything=everything))
    tell = silent if quiet else aloud
    rest, _ = await follow(steering, f"rollback/{run_id}", after=head.seq, patience=_PATIENCE, tell=tell)
    done, _ = await asyncio.wait({undoing}, timeout=_PATIENCE if rest.ended else 0)
    if not done:
        undoing.cancel()
        return {"run": run_id, "status": rest.status}
    try:
        undoing.result()
    except WorkflowFailureError as error:
        said = getattr(error.cause, "message", error.cause)
        raise Refused(f"undoing {run_id} ended early: {said}", hint="`./steward alerts` says what to do") from error
    return {"run": run_id, "status": "done", **await _became(steering, run_id, plan)}


async def _became(steering: Steering, run_id: str, plan: Undoing) -> dict[str, list[str]]:
    """What the ledger says of each effect now: a run that was under way undoes its last steps by itself."""
    status = {e.key: e.status for e in await steering.memory.ledger.effects(run_id=run_id)}
    effects = [*(u.effect for u in plan.undo), *(s.effect for s in plan.stays)]
    undone = [e for e in effects if status[e.key] is EffectStatus.COMPENSATED]
    return {"undone": [e.action.summary() for e in undone], "stays": [e.action.summary() for e in effects if e not in undone]}


def _confirm(*, as_json: bool) -> None:
    if as_json or not sys.stdin.isatty():
        give_up(InvalidInput("nobody is here to be asked", hint="look with --preview, then say --yes"), as_json=as_json)
    if not typer.confirm("Undo this?"):
        raise typer.Exit(1)


def _print_preview(run_id: str, plan: Undoing, *, as_json: bool) -> None:
    undo = [(u.effect.action.summary(), u.inverse.summary()) for u in plan.undo]
    stays = [(stay.effect.action.summary(), stay.why) for stay in plan.stays]
    if as_json:
        print_json({"run": run_id, "undo": [{"did": did, "undo": how} for did, how in undo], "stays": [what for what, _ in stays]})
        return
    say(run_id, style="bold")
    print_table("Will be undone, in this order", ("did", "undo"), undo)
    print_table("Cannot be undone", ("did", "because it is"), stays, empty="nothing")
