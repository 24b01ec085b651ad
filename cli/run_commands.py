"""``steward run``: starting a run and watching it."""

import sys
from datetime import timedelta
from typing import Annotated, Any

import typer

from cli.context import now
from cli.following import aloud, asked_by, follow, silent
from cli.output import AsJson, print_json, say
from cli.showing import web_ui_link
from cli.steering import Steering, with_steering
from domain.approvals import Approval
from domain.story import story
from workflows.starting import What, start
from workflows.watching import Rest, how_is

_PATIENCE = 120.0  # seconds a run is watched before the command lets it go on alone
_CLOCKS_DIFFER = timedelta(seconds=0.5)  # this machine's and the server's


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    app.command("run")(start_run)


def start_run(
    what: Annotated[What, typer.Argument(help="What to run.")],
    *,
    supplier: Annotated[list[str] | None, typer.Option(help="Replenish only this supplier; repeat as needed.")] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Watch it until it is done or waits.")] = True,
    as_json: AsJson = False,
) -> None:
    """Start a run now and watch it until it is done or waits. Support runs start by themselves when a message arrives."""

    async def work(steering: Steering) -> dict[str, Any]:
        head = await steering.memory.log.head()
        run_id, joined = await _start(steering, what, supplier or [])
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


async def _start(steering: Steering, what: What, suppliers: list[str]) -> tuple[str, bool]:
    """The run's id, and whether it was under way already."""
    at, state = now(), steering.memory.state
    run_id = await start(steering.gateway, state, what, now=at, suppliers=suppliers)
    rest = await how_is(steering.client, state, run_id)
    return run_id, rest is not None and rest.since < at - _CLOCKS_DIFFER


async def _watch(steering: Steering, run_id: str, after: int, *, quiet: bool) -> dict[str, Any]:
    """Follow the run, and the runs that a content plan starts, until they rest."""
    tell = silent if quiet else aloud
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
    return {
        "status": rest.status,
        "stage": rest.stage,
        "steps": [{"at": at, "text": line} for at, line in story(steps)],
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
    return str(await steering.client.get_workflow_handle(run_id, result_type=str).result())


def _print_end(rest: Rest, asks: list[Approval], text: str, *, started: int | None) -> None:
    if text:
        say(text)
    if started == 0:
        say("no topic deserves a page now")
    for approval in asks:
        say(f"waits for you: {approval.proposal.action.summary()}   ./steward show {approval.approval_id[:8]}")
    if rest.status == "works":
        say("it is still at work; `./steward inbox` shows what it asks")
    elif rest.status == "waits" and not asks:
        say(rest.stage)
    elif rest.status not in {"waits", "done"}:
        say(f"it {rest.status}", style="red")
