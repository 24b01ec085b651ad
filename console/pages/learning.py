"""Learning: what was found, what is proposed, what may act alone, and how it went over time."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from console.learned import charts, classes, overview, without_grant
from console.recording import record
from console.visit import Here
from domain.errors import InvalidInput, NotFound
from domain.failures import Failure, FailureLabelled, RootCause
from domain.flags import FlagSet, own_flag
from domain.learning import LearningReport
from domain.policies import OPERATOR, PolicyRecord
from memory.views import EventFilter

router = APIRouter()
TABS = (
    ("/learning", "Overview"),
    ("/learning/experiments", "Trials"),
    ("/learning/autonomy", "Acts alone"),
    ("/learning/policies", "Rules"),
    ("/learning/flags", "Flags"),
    ("/learning/figures", "Figures"),
)


@router.get("/learning", response_class=HTMLResponse)
async def show_learning(visit: Here) -> HTMLResponse:
    return await visit.page("learning.html", learned=await overview(visit.house.memory), causes=list(RootCause), tabs=TABS)


@router.get("/learning/reports/{day}", response_class=HTMLResponse)
async def show_report(visit: Here, day: str) -> HTMLResponse:
    report = await visit.house.memory.state.get(LearningReport, day)
    if report is None:
        raise NotFound("there is no report of that day", hint="the overview lists the latest")
    return await visit.page("learning_report.html", report=report, tabs=TABS)


@router.get("/learning/autonomy", response_class=HTMLResponse)
async def show_autonomy(visit: Here) -> HTMLResponse:
    return await visit.page("autonomy.html", classes=await classes(visit.house.memory), tabs=TABS)


@router.post("/learning/autonomy/ask-again")
async def ask_again(visit: Here) -> Response:
    """One class asks again, and is not proposed any more. To stop something wants no password."""
    key, state = visit.field("key", most=300), visit.house.memory.state
    version = await state.version(PolicyRecord, "autonomy")
    policy = await state.get(PolicyRecord, "autonomy") or PolicyRecord(name="autonomy")
    await record(visit, without_grant(policy, key, by=OPERATOR, at=visit.now), expected={"policy/autonomy": version})
    return await visit.see("/learning/autonomy", say=f"{key} is asked again, from the next decision on")


@router.get("/learning/figures", response_class=HTMLResponse)
async def show_figures(visit: Here) -> HTMLResponse:
    drawn = await charts(visit.house.memory, now=visit.now, zone=visit.zone)
    return await visit.page("learning_figures.html", charts=drawn, tabs=TABS)


@router.get("/learning/flags", response_class=HTMLResponse)
async def show_flags(visit: Here) -> HTMLResponse:
    changes = await visit.house.memory.views.events(EventFilter(type="flag."), limit=10)
    return await visit.page("flags.html", flags=await visit.house.memory.flags.all(), changes=changes, tabs=TABS)


@router.post("/learning/flags")
async def switch_flag(visit: Here) -> Response:
    """On or off, for everybody; in force from the next decision on."""
    flag = own_flag(await visit.house.memory.flags.all(), visit.field("key", most=200))
    value = visit.field("value", most=10)
    if value not in ("on", "off", "pin", "unpin"):
        raise InvalidInput("a flag is switched on or off, or pinned", hint="load the page again")
    visit = await visit.prove()
    change = {"on": value == "on", "why": visit.field("why")} if value in ("on", "off") else {"pinned": value == "pin"}
    switched = flag.model_copy(update=change)
    await record(visit, FlagSet(flag=switched, by=OPERATOR, at=visit.now))
    return await visit.see("/learning/flags", say=f"{flag.key}: {value}")


@router.post("/learning/failures")
async def confirm_cause(visit: Here) -> Response:
    """The operator says why something went wrong; what is learned of causes starts from it."""
    key = visit.field("failure", most=200)
    failure = await visit.house.memory.state.get(Failure, key)
    cause = visit.field("cause", most=50)
    if failure is None or cause not in list(RootCause):
        raise NotFound("there is no such failure, or no such cause", hint="load the page again")
    await record(visit, FailureLabelled(failure_id=key, cause=RootCause(cause), mode=failure.mode, by=OPERATOR))
    return await visit.see("/learning", say=f"{failure.mode}: because of {cause}")
