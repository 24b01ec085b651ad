"""Runs: how each one is and what it did; start one, stop one, undo one."""

from urllib.parse import quote, urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from console.runs import STATUSES, WORKFLOWS, RunPage, run_page, runs
from console.visit import Here, Visit
from domain.entities import Supplier
from domain.errors import InvalidInput, Stale
from domain.policies import OPERATOR
from workflows.starting import What, start

router = APIRouter()
_LONGEST = 300


@router.get("/runs", response_class=HTMLResponse)
async def show_runs(visit: Here, workflow: str = "", status: str = "", page: int = 1) -> HTMLResponse:
    if workflow not in ("", *WORKFLOWS) or status not in ("", *STATUSES):
        raise InvalidInput("runs cannot be narrowed like that", hint="choose one of the lists")
    found = await runs(visit.house, workflow=workflow, status=status, page=page)
    given = {name: text for name, text in (("workflow", workflow), ("status", status)) if text}
    return await visit.page(
        "runs.html",
        found=found,
        workflow=workflow,
        chosen=status,
        query=urlencode(given),
        workflows=WORKFLOWS,
        statuses=STATUSES,
        suppliers=await visit.house.memory.state.find(Supplier),
        whats=list(What),
    )


@router.post("/runs/start")
async def start_run(visit: Here) -> Response:
    """As ``./steward run`` does: of each kind there is one a day, and one under way is joined."""
    what = visit.field("what")
    if what not in list(What):
        raise InvalidInput(f"{what[:40]!r} cannot be started", hint=f"one of {', '.join(What)}")
    supplier = visit.field("supplier") if what == What.REPLENISH else ""
    house = visit.house
    run_id = await start(house.gateway, house.memory.state, What(what), now=visit.now, suppliers=[supplier] if supplier else [])
    return await visit.see(_path(run_id), say=f"{run_id} is under way")


@router.post("/runs/{run_id:path}/revert")
async def revert(visit: Here, run_id: str) -> Response:
    """Begin to undo what was shown, since it last began or ever under its id; the run's page follows it."""
    found, everything = await _found(visit, run_id), visit.field("everything") == "yes"
    plan = found.whole if everything and found.whole else found.plan
    if visit.field("shown") != plan.digest:
        raise Stale("it did more since you saw what undoing it does", hint="load the page again and look at it")
    if plan.moves_money:
        visit = await visit.prove()
    await visit.house.gateway.start_rollback(run_id, by=OPERATOR, everything=everything)
    return await visit.see(_path(run_id), say="What it did is being undone, newest first")


@router.post("/runs/{run_id:path}/cancel")
async def cancel(visit: Here, run_id: str) -> Response:
    """It stops where it is; what its plan began is undone."""
    if not (await _found(visit, run_id)).going:
        raise InvalidInput(f"{run_id} has ended already", hint="undo what it did, if that is what you want")
    await visit.house.gateway.cancel(run_id)
    return await visit.see(_path(run_id), say=f"{run_id} was asked to stop")


@router.get("/runs/{run_id:path}", response_class=HTMLResponse)
async def show_run(visit: Here, run_id: str) -> HTMLResponse:
    found = await _found(visit, run_id)
    return await visit.page(
        "run.html",
        found=found,
        plans=[
            ("revert", "What undoing this run does", found.plan),
            ("revert-all", "What undoing everything does that was ever done under this name", found.whole),
        ],
    )


async def _found(visit: Visit, run_id: str) -> RunPage:
    if not run_id or len(run_id) > _LONGEST or "\x00" in run_id:
        raise InvalidInput("this is no id of a run", hint="the list of runs has those that there are")
    return await run_page(visit.house, run_id)


def _path(run_id: str) -> str:
    return f"/runs/{quote(run_id)}"
