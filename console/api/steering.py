"""Routes that steer: runs (look, start, stop, undo) and the operator's switches."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from activities.undoing import what_to_undo
from console import reading
from console.api.entry import Decides, Reader
from console.settling import settle, unsettled
from domain.actions import Action
from domain.decisions import Mode
from domain.errors import InvalidInput, NotFound, VersionConflict
from domain.event import EventData
from domain.policies import OPERATOR
from domain.runs import Controls, ModeSet, Run
from domain.switches import checked_mode, checked_scope, kill_switch_set
from workflows.starting import What, start

router = APIRouter()
Everything = Annotated[bool, Query(description="also what it did before it last began, under the same id")]


class Start(BaseModel):
    """``suppliers`` go with replenish; none means all of them."""

    what: What
    suppliers: list[str] = Field(default_factory=list, max_length=100)


class Begun(BaseModel):
    run_id: str


class Inverse(BaseModel):
    did: str
    undo: str
    action: Action


class Stays(BaseModel):
    did: str
    why: str


class Preview(BaseModel):
    """What taking a run back would do, in this order, and what it cannot. ``digest`` names exactly this."""

    run_id: str
    undo: list[Inverse]
    stays: list[Stays]
    digest: str


class Rollback(BaseModel):
    """``digest`` is that of the preview: what was not shown is not undone. ``everything`` as it was asked for there."""

    digest: str = Field(max_length=100)
    everything: bool = False


class SetMode(BaseModel):
    mode: Mode


class SetKillSwitch(BaseModel):
    on: bool
    reason: str = Field(default="", max_length=2_000)


class Word(BaseModel):
    happened: bool


class Said(BaseModel):
    said: str


@router.post("/runs", tags=["runs"], status_code=202)
async def start_run(caller: Decides, wanted: Start) -> Begun:
    """Start a run now; of each kind there is one a day."""
    house = caller.house
    run_id = await start(house.gateway, house.memory.state, wanted.what, now=caller.now, suppliers=wanted.suppliers)
    return Begun(run_id=run_id)


@router.get("/runs/{run_id:path}/rollback", tags=["runs"])
async def preview_rollback(caller: Reader, run_id: str, *, everything: Everything = False) -> Preview:
    """What taking it back would do. Nothing is done."""
    kept = caller.house.memory
    plan = await what_to_undo(run_id, state=kept.state, ledger=kept.ledger, everything=everything)
    return Preview(
        run_id=run_id,
        undo=[Inverse(did=u.effect.action.summary(), undo=u.inverse.summary(), action=u.inverse) for u in plan.undo],
        stays=[Stays(did=stay.effect.action.summary(), why=stay.why) for stay in plan.stays],
        digest=plan.digest,
    )


@router.post("/runs/{run_id:path}/rollback", tags=["runs"], status_code=202)
async def roll_back(caller: Decides, run_id: str, wanted: Rollback) -> Begun:
    """Take it back as the preview said. Answers with the run that does so, which stops this one first where it still goes on."""
    kept = caller.house.memory
    plan = await what_to_undo(run_id, state=kept.state, ledger=kept.ledger, everything=wanted.everything)
    if plan.digest != wanted.digest:
        raise InvalidInput("this is not what the preview showed", hint="look at the preview again, and send its digest")
    return Begun(run_id=await caller.house.gateway.start_rollback(run_id, by=OPERATOR, everything=wanted.everything))


@router.post("/runs/{run_id:path}/cancel", tags=["runs"], status_code=202)
async def cancel(caller: Decides, run_id: str) -> Begun:
    """Ask it to stop; what its current plan began is undone."""
    run = await caller.house.memory.state.get(Run, run_id)
    if run is None:
        raise NotFound(f"there is no run {run_id}", hint="list the kind run to see what there is")
    if run.status != "running":
        raise InvalidInput(f"{run_id} has ended already", hint="its rollback takes back what it did")
    await caller.house.gateway.cancel(run_id)
    return Begun(run_id=run_id)


@router.get("/runs/{run_id:path}", tags=["runs"])
async def show_run(caller: Reader, run_id: str) -> reading.RunStory:
    """A run step by step, with its effects and what it asks. ``/state/run`` lists them."""
    return await reading.run_story(caller.house.memory, run_id)


@router.post("/alerts/{key:path}/settle", tags=["alerts"])
async def settle_alert(caller: Decides, key: str, word: Word) -> Said:
    """The operator's word on an alert `unknown/…` or `undo/…`, for which a run waits. Of an undoing, `happened` says that it
    was undone by hand; otherwise it is tried again. `/state/alert` lists alerts."""
    found = await unsettled(caller.house.memory, key)

    async def closed(event: EventData, expected: dict[str, int]) -> None:
        with suppress(VersionConflict):  # raised anew meanwhile: it stays open
            await caller.record(event, expected=expected)

    said = await settle(caller.house, found, happened=word.happened, by=OPERATOR, now=caller.now, record=closed)
    return Said(said=said)


@router.get("/controls", tags=["controls"])
async def controls(caller: Reader) -> Controls:
    """The modes that are set and the kill switch. Where no mode is set, everything is asked."""
    return await caller.house.memory.state.get(Controls, "self") or Controls()


@router.put("/controls/modes/{scope:path}", tags=["controls"])
async def set_mode(caller: Decides, scope: str, wanted: SetMode) -> Controls:
    """``support``, or ``support/send-reply``: the narrower one wins."""
    await caller.record(ModeSet(scope=checked_scope(scope), mode=checked_mode(scope, wanted.mode), by=OPERATOR))
    return await controls(caller)


@router.put("/controls/kill-switch", tags=["controls"])
async def set_kill_switch(caller: Decides, wanted: SetKillSwitch) -> Controls:
    """On: no new effect happens. What waits keeps waiting."""
    before = await controls(caller)
    await caller.record(kill_switch_set(before, on=wanted.on, reason=wanted.reason, by=OPERATOR))
    return await controls(caller)
