"""Rules and trials of them: every version and what it changed; ratify, turn down, roll back, pin and stop."""

from collections.abc import Awaitable

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from activities.ratifying import Ratifier
from console.learned import differences, proposals, trial, words
from console.pages.learning import TABS
from console.places import place_of
from console.visit import Here, Visit
from domain.errors import InvalidInput, NotFound, Stale, VersionConflict
from domain.experiments import Experiment
from domain.policies import OPERATOR, POLICY_TYPES, PolicyRecord
from learning.documents import in_force, leaves

router = APIRouter()
_VERSIONS = 30
_TRIALS = 100


@router.get("/learning/policies", response_class=HTMLResponse)
async def show_rules(visit: Here) -> HTMLResponse:
    found = {record.name: record for record in await visit.house.memory.state.find(PolicyRecord)}
    records = [found.get(name) or PolicyRecord(name=name) for name in POLICY_TYPES]
    return await visit.page("policies.html", records=records, tabs=TABS)


@router.get("/learning/policies/{name}", response_class=HTMLResponse)
async def show_rule(visit: Here, name: str) -> HTMLResponse:
    """The latest versions with what each changed, and the document in force."""
    if name not in POLICY_TYPES:
        raise NotFound("there is no such policy", hint="the list shows all of them")
    record = await visit.house.memory.state.get(PolicyRecord, name) or PolicyRecord(name=name)
    newest = sorted(record.versions, key=lambda v: v.version, reverse=True)[:_VERSIONS]
    versions = [(version, differences(record, version.parent, version.version)) for version in newest]
    waiting = [p for p in await proposals(visit.house.memory) if p.policy == name]
    document = [(path, words(value)) for path, value in leaves(in_force(record)).items()]
    return await visit.page("policy.html", record=record, versions=versions, waiting=waiting, document=document, tabs=TABS)


@router.post("/learning/policies/{name}/{word}")
async def say_of_rule(visit: Here, name: str, word: str) -> Response:
    """``ratify`` and ``drop`` a proposed version, ``rollback``, ``pin`` and ``unpin``."""
    ratifier = await _ratifier(visit, proof=word != "drop")
    why = visit.field("why")
    match word:
        case "ratify":
            await _said(ratifier.ratify(name, number := _version(visit)))
            said = f"version {number} of {name} is in force"
        case "drop":
            await _said(ratifier.drop(name, number := _version(visit), why=why or "the operator does not want it"))
            said = f"version {number} of {name} is out"
        case "rollback":
            await _said(ratifier.roll_back(name, hard=bool(visit.field("hard")), why=why or "rolled back by the operator"))
            said = f"{name} was rolled back"
        case "pin" | "unpin":
            await _said(ratifier.pin(name, on=word == "pin"))
            said = f"{name} is {'pinned' if word == 'pin' else 'no longer pinned'}"
        case _:
            raise NotFound("there is no such thing to do with a policy", hint="load the page again")
    return await visit.see(place_of(f"policy/{name}"), say=said)


@router.get("/learning/experiments", response_class=HTMLResponse)
async def show_trials(visit: Here) -> HTMLResponse:
    found = await visit.house.memory.views.page(Experiment, limit=_TRIALS)
    trials = sorted(found, key=lambda e: (not e.awaits_operator, not e.running, -e.started_at.timestamp()))
    return await visit.page("experiments.html", trials=trials, tabs=TABS)


@router.get("/learning/experiments/{experiment_id:path}", response_class=HTMLResponse)
async def show_trial(visit: Here, experiment_id: str) -> HTMLResponse:
    return await visit.page("experiment.html", trial=await trial(visit.house.memory, experiment_id), tabs=TABS)


@router.post("/learning/experiments/{experiment_id:path}/stop")
async def stop_trial(visit: Here, experiment_id: str) -> Response:
    ratifier = await _ratifier(visit)
    await _said(ratifier.stop(experiment_id, hard=bool(visit.field("hard")), why=visit.field("why")))
    return await visit.see(place_of(f"experiment/{experiment_id}"), say="It is taken back, from the next decision on")


@router.post("/learning/experiments/{experiment_id:path}/ratify")
async def ratify_trial(visit: Here, experiment_id: str) -> Response:
    ratifier = await _ratifier(visit)
    await _said(ratifier.let_win(experiment_id))
    return await visit.see(place_of(f"experiment/{experiment_id}"), say="It goes on to everybody")


async def _ratifier(visit: Visit, *, proof: bool = True) -> Ratifier:
    if proof:
        visit = await visit.prove()
    memory = visit.house.memory
    return Ratifier(log=memory.log, state=memory.state, by=OPERATOR, now=visit.now)


async def _said(word: Awaitable[object]) -> None:
    """Raises Stale where somebody else was first."""
    try:
        await word
    except VersionConflict as moved:
        raise Stale("this changed while you looked at it", hint="load the page again and repeat it") from moved


def _version(visit: Visit) -> int:
    text = visit.field("version", most=9)
    if not (text.isascii() and text.isdecimal()):
        raise InvalidInput("there is no such version", hint="load the page again")
    return int(text)
