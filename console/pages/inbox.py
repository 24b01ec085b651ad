"""The inbox: what waits, one question in full, and the operator's answers, one by one or many at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from console.forms import NotValid, edited, fields_of
from console.questions import Question, fields_with, inbox, needs_proof, question
from console.visit import OPERATOR, Here, Visit
from domain.actions import Action
from domain.approvals import Approval, Decision, Verb
from domain.errors import InvalidInput, NotFound, StewardError
from domain.ids import derived_id

router = APIRouter()
_MOST_AT_ONCE = 100
_SNOOZES = {"1h": timedelta(hours=1), "4h": timedelta(hours=4), "1d": timedelta(days=1)}
_MORNING = 8  # the hour of "tomorrow morning", in the shop's zone


@router.get("/inbox", response_class=HTMLResponse)
async def show_inbox(visit: Here) -> HTMLResponse:
    return await visit.page("inbox.html", inbox=await inbox(visit.house.memory, now=visit.now), batch=uuid4())


@router.post("/inbox/batch")
async def decide_many(visit: Here) -> Response:
    """Every chosen question for itself: one that cannot be answered keeps no other from its answer."""
    verb, chosen = Verb(visit.field("verb")), _chosen(visit)
    approvals = [(key, await visit.house.memory.state.get(Approval, key)) for key in chosen]
    if verb is Verb.APPROVE and any(a and needs_proof(a) for _, a in approvals):
        visit = await visit.prove()
    results = [await _one_of_many(visit, key, approval, verb) for key, approval in approvals]
    return await visit.page("inbox_batch.html", verb=verb, results=results)


@router.get("/inbox/{approval_id}", response_class=HTMLResponse)
async def show_question(visit: Here, approval_id: str) -> HTMLResponse:
    return await _shown(visit, await question(visit.house.memory, approval_id, now=visit.now))


@router.post("/inbox/{approval_id}/approve")
async def approve(visit: Here, approval_id: str) -> Response:
    approval = await _approval(visit, approval_id)
    if needs_proof(approval):
        visit = await visit.prove()
    return await _decide(visit, approval, Verb.APPROVE)


@router.post("/inbox/{approval_id}/edit")
async def edit(visit: Here, approval_id: str) -> Response:
    """The changed action is looked at and audited again; what does not fit comes back with what was typed."""
    approval = await _approval(visit, approval_id)
    if needs_proof(approval):
        visit = await visit.prove()
    try:
        action = edited(approval.proposal.action, visit.form)
    except NotValid as wrong:
        asked = await question(visit.house.memory, approval_id, now=visit.now)
        typed = {name: value for name, value in visit.form.items() if isinstance(value, str)}
        return await _shown(visit, asked, typed=typed, problems=wrong.problems)
    if action == approval.proposal.action:
        raise InvalidInput("nothing was changed", hint="approve it as it is, or change a field")
    return await _decide(visit, approval, Verb.EDIT, action=action)


@router.post("/inbox/{approval_id}/reject")
async def reject(visit: Here, approval_id: str) -> Response:
    return await _decide(visit, await _approval(visit, approval_id), Verb.REJECT)


@router.post("/inbox/{approval_id}/snooze")
async def snooze(visit: Here, approval_id: str) -> Response:
    until = _until(visit.field("for"), visit.now, visit.zone)
    return await _decide(visit, await _approval(visit, approval_id), Verb.SNOOZE, snooze_until=until)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one question of a batch."""

    approval_id: str
    what: str
    done: bool
    said: str


async def _one_of_many(visit: Visit, key: str, approval: Approval | None, verb: Verb) -> Result:
    if approval is None:
        return Result(approval_id=key, what=key, done=False, said="there is no such question")
    decision = _decision(
        visit,
        approval,
        verb,
        digest=visit.field(f"digest:{key}"),
        decision_id=str(derived_id("batch", visit.field("batch"), key)),
        snooze_until=_until(visit.field("for"), visit.now, visit.zone) if verb is Verb.SNOOZE else None,
    )
    what = approval.proposal.action.summary()
    try:
        said = await visit.house.gateway.decide(approval, decision, now=visit.now)
    except StewardError as error:
        return Result(approval_id=key, what=what, done=False, said=str(error))
    return Result(approval_id=key, what=what, done=True, said=said)


def _chosen(visit: Visit) -> list[str]:
    chosen = [key for key in visit.form.get("chosen[]", []) if isinstance(key, str)]
    if not chosen:
        raise InvalidInput("nothing is chosen", hint="choose questions with their boxes, or with x")
    if len(chosen) > _MOST_AT_ONCE:
        raise InvalidInput(f"at most {_MOST_AT_ONCE} at once", hint="choose fewer")
    return list(dict.fromkeys(chosen))


async def _approval(visit: Visit, approval_id: str) -> Approval:
    approval = await visit.house.memory.state.get(Approval, approval_id)
    if approval is None:
        raise NotFound(f"there is no question {approval_id}", hint="the inbox lists those that wait")
    return approval


async def _decide(
    visit: Visit, approval: Approval, verb: Verb, *, action: Action | None = None, snooze_until: datetime | None = None
) -> Response:
    decision = _decision(
        visit,
        approval,
        verb,
        digest=visit.field("digest"),
        decision_id=visit.field("decision") or str(uuid4()),
        action=action,
        snooze_until=snooze_until,
    )
    await visit.house.gateway.decide(approval, decision, now=visit.now)
    said = {Verb.APPROVE: "Approved", Verb.EDIT: "Changed", Verb.REJECT: "Rejected", Verb.SNOOZE: "Snoozed"}[verb]
    return await visit.see("/inbox", say=f"{said}: {approval.proposal.action.summary()}")


def _decision(
    visit: Visit,
    approval: Approval,
    verb: Verb,
    *,
    digest: str,
    decision_id: str,
    action: Action | None = None,
    snooze_until: datetime | None = None,
) -> Decision:
    return Decision(
        decision_id=decision_id,
        approval_id=approval.approval_id,
        verb=verb,
        digest=digest,
        by=OPERATOR,
        reason=visit.field("reason"),
        action=action,
        snooze_until=snooze_until,
    )


def _until(words: str, now: datetime, zone: str) -> datetime:
    """``1h``, ``4h``, ``1d``, or ``morning``: tomorrow's."""
    if words in _SNOOZES:
        return now + _SNOOZES[words]
    if words != "morning":
        raise InvalidInput(f"{words!r} is no time to come back", hint="choose one of the list")
    local = now.astimezone(ZoneInfo(zone)) + timedelta(days=1)
    return local.replace(hour=_MORNING, minute=0, second=0, microsecond=0)


async def _shown(
    visit: Visit, asked: Question, *, typed: Mapping[str, str] | None = None, problems: Mapping[str, str] | None = None
) -> HTMLResponse:
    fields = fields_with(typed or {}, problems or {}, list(fields_of(asked.approval.proposal.action)))
    return await visit.page(
        "question.html",
        status=422 if problems else 200,
        asked=asked,
        fields=fields,
        wrong=bool(problems),
        decision=uuid4(),
    )
