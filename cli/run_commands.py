"""``steward run | rollback | cancel``: starting, undoing and stopping runs."""

import sys
from enum import StrEnum
from typing import Annotated, Any

import typer
from temporalio.client import WorkflowFailureError

from cli.context import OPERATOR, now
from cli.following import Rest, asked_by, follow, how_is
from cli.output import AsJson, print_json, print_table, say
from cli.showing import find_run, web_ui_link
from cli.steering import Steering, with_steering
from cli.story import told
from domain.approvals import Approval
from domain.effects import Effect, EffectStatus
from domain.entities import Supplier
from domain.errors import InvalidInput, NotFound, Refused
from domain.event import Event

_PATIENCE = 120.0  # seconds a run is watched before the command lets it go on alone


class What(StrEnum):
    REPLENISH = "replenish"
    CONTENT = "content"
    DIGEST = "digest"


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    app.command("run")(start_run)
    app.command()(rollback)
    app.command()(cancel)


def start_run(
    what: Annotated[What, typer.Argument(help="What to run.")],
    *,
    supplier: Annotated[list[str] | None, typer.Option(help="Replenish only this supplier; repeat as needed.")] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Watch it until it is done or waits.")] = True,
    as_json: AsJson = False,
) -> None:
    """Start a run now and watch it until it is done or waits. Support runs start by themselves when a message arrives."""

    async def work(steering: Steering) -> dict[str, Any]:
        await _check_suppliers(steering, what, supplier or [])
        head = await steering.memory.log.head()
        run_id, joined = await _start(steering, what, tuple(supplier or ()))
        link = web_ui_link(steering.endpoints.ui_url, run_id)
        if not as_json:
            say(f"{'already under way' if joined else 'started'}: {run_id}" + (f"   {link}" if link else ""))
        started = {"run": run_id, "joined": joined, "web_ui": link}
        return {**started, **await _watch(steering, run_id, head.seq, quiet=as_json)} if wait else started

    try:
        answer = with_steering(work, as_json=as_json)
    except KeyboardInterrupt:
        sys.stderr.write("\nthe run goes on without you; `./steward inbox` shows what it asks\n")
        raise
    if as_json:
        print_json(answer)
    if answer.get("status") in {"failed", "terminated", "timed out"}:
        raise typer.Exit(1)


def rollback(
    which: Annotated[str, typer.Argument(metavar="RUN", help="The run to undo, or enough of its id.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would be undone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Undo what a run did, newest first; says beforehand what cannot be undone."""
    run_id, effects = with_steering(lambda s: _to_undo(s, which), as_json=as_json, needs_worker=not preview)
    can = [e for e in effects if e.inverse() is not None]
    cannot = [e for e in effects if e.inverse() is None]
    if preview or not as_json:
        _print_preview(run_id, can, cannot, as_json=as_json)
    if preview:
        return
    if not yes:
        _confirm(as_json=as_json)
    answer = with_steering(lambda s: _roll_back(s, run_id, quiet=as_json), as_json=as_json)
    if as_json:
        print_json(answer)
    elif answer["status"] == "done":
        print_table("Undone", ("what",), [(line,) for line in answer["compensated"]])
        print_table("Stays", ("what",), [(line,) for line in answer["impossible"]], empty="nothing")
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
        rest = await how_is(steering, run_id)
        if rest is None or rest.ended:
            raise InvalidInput(f"{run_id} has ended already", hint=f"`./steward rollback {run_id}` takes back what it did")
        await steering.gateway.cancel(run_id)
        return run_id

    run_id = with_steering(work, as_json=as_json)
    if as_json:
        print_json({"cancelled": run_id})
    else:
        say(f"{run_id} was asked to stop")


async def _check_suppliers(steering: Steering, what: What, suppliers: list[str]) -> None:
    if suppliers and what is not What.REPLENISH:
        raise InvalidInput("--supplier goes with replenish only", hint="./steward run replenish --supplier …")
    for supplier_id in suppliers:
        if await steering.memory.state.get(Supplier, supplier_id) is None:
            raise NotFound(f"there is no supplier {supplier_id!r}", hint="`./steward state list supplier` shows them")


async def _start(steering: Steering, what: What, suppliers: tuple[str, ...]) -> tuple[str, bool]:
    """The run's id, and whether it was under way already: of each kind there is one a day."""
    at = now()
    gateway = steering.gateway
    match what:
        case What.REPLENISH:
            run_id = f"replenish/{'+'.join((at.date().isoformat(), *suppliers))}"
        case What.CONTENT:
            run_id = f"content-plan/{at.date().isoformat()}"
        case What.DIGEST:
            run_id = f"digest/{at.date().isoformat()}"
    before = await how_is(steering, run_id)
    match what:
        case What.REPLENISH:
            run_id = await gateway.start_replenishment(now=at, suppliers=suppliers)
        case What.CONTENT:
            run_id = await gateway.start_content(now=at)
        case What.DIGEST:
            run_id = await gateway.start_digest(now=at)
    return run_id, before is not None and not before.ended


async def _watch(steering: Steering, run_id: str, after: int, *, quiet: bool) -> dict[str, Any]:
    """Follow the run, and the runs that a content plan starts, until they rest."""
    tell = _silent if quiet else _aloud
    rest, steps = await follow(steering, run_id, after=after, patience=_PATIENCE, tell=tell)
    children = await _children(steering, run_id, rest)
    for child in children:
        if not quiet:
            say(child)
        _, more = await follow(steering, child, after=after, patience=_PATIENCE, tell=tell)
        steps = [*steps, *more]
    asks = [a for one in (run_id, *children) for a in await asked_by(steering, one)]
    text = await _text(steering, run_id, rest)
    if not quiet:
        _print_end(rest, asks, text, started=len(children) if run_id.startswith("content-plan/") else None)
    told_steps = [{"at": e.at, "event": e.type, "run": e.correlation_id, "text": told(e)} for e in steps]
    return {
        "status": rest.status,
        "stage": rest.stage,
        "steps": told_steps,
        "runs": children,
        "asks": [a.approval_id for a in asks],
        "text": text,
    }


async def _children(steering: Steering, run_id: str, rest: Rest) -> list[str]:
    if not run_id.startswith("content-plan/") or rest.status != "done":
        return []
    return list(await steering.client.get_workflow_handle(run_id, result_type=list[str]).result())


async def _text(steering: Steering, run_id: str, rest: Rest) -> str:
    """The page that a digest wrote."""
    if not run_id.startswith("digest/") or rest.status != "done":
        return ""
    return await steering.client.get_workflow_handle(run_id, result_type=str).result()


def _print_end(rest: Rest, asks: list[Approval], text: str, *, started: int | None) -> None:
    if text:
        say(text)
    if started == 0:
        say("no topic deserves a page now")
    for approval in asks:
        say(f"waits for you: {approval.proposal.action.summary()}   ./steward show {approval.approval_id[:8]}")
    if rest.status == "works":
        say("it is still at work; `./steward inbox` shows what it asks")
    elif not asks and not text:
        say(f"{rest.stage or rest.status}")


async def _to_undo(steering: Steering, which: str) -> tuple[str, list[Effect]]:
    run_id = (await find_run(steering, which)).run_id
    effects = await steering.memory.ledger.effects(run_id=run_id, status=EffectStatus.COMMITTED)
    return run_id, [e for e in effects if not e.compensates]


async def _roll_back(steering: Steering, run_id: str, *, quiet: bool) -> dict[str, Any]:
    """Undone, or as far as it got: a compensation that fails waits for the operator."""
    head = await steering.memory.log.head()
    undoing = await steering.gateway.start_rollback(run_id, by=OPERATOR)
    rest, _ = await follow(steering, undoing, after=head.seq, patience=_PATIENCE, tell=_silent if quiet else _aloud)
    if not rest.ended:
        return {"run": run_id, "status": rest.status}
    try:
        result = await steering.gateway.rollback(run_id, by=OPERATOR)
    except WorkflowFailureError as error:
        raise Refused(f"undoing {run_id} ended early: {error.cause}", hint="`./steward alerts` says what to do") from error
    return {**result.model_dump(), "status": "done"}


def _confirm(*, as_json: bool) -> None:
    if as_json or not sys.stdin.isatty():
        raise typer.BadParameter("undoing is not asked for here: say --yes, after looking with --preview", param_hint="--yes")
    if not typer.confirm("Undo this?"):
        raise typer.Exit(1)


def _print_preview(run_id: str, can: list[Effect], cannot: list[Effect], *, as_json: bool) -> None:
    undo = [(e.action.summary(), inverse.summary()) for e in can if (inverse := e.inverse()) is not None]
    stays = [(e.action.summary(), e.action.spec.reversibility) for e in cannot]
    if as_json:
        print_json({"run": run_id, "undo": [{"did": did, "undo": how} for did, how in undo], "stays": [what for what, _ in stays]})
        return
    say(run_id, style="bold")
    print_table("Will be undone, in this order", ("did", "undo"), undo)
    print_table("Cannot be undone", ("did", "because it is"), stays, empty="nothing")


def _aloud(event: Event) -> None:
    say(f"  {told(event)}")


def _silent(_event: Event) -> None:
    """For programs: the whole answer comes at the end."""
