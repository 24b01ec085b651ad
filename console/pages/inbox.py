"""The inbox: what waits, one question in full, and the operator's answers, one by one or many at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from console.forms import NotValid, edited, fields_of
from console.questions import Question, fields_with, inbox, needs_proof, question
from console.statuses import status_of
from console.visit import Here, Visit
from domain.actions import Action
from domain.approvals import Approval, Verb, Via
from domain.errors import AccessError, DecisionRefused, InvalidInput, NotFound, Overtaken, Retryable, StewardError
from domain.ids import derived_id
from domain.policies import OPERATOR
from workflows.deciding import Decided, DecisionRequest, NotDecided

router = APIRouter()
_MOST_AT_ONCE = 100
_HOLD = 10  # seconds in which an approval can be taken back
_BATCH = (Verb.APPROVE, Verb.REJECT, Verb.SNOOZE)
_SAID = {
    Verb.APPROVE: "Approved",
    Verb.EDIT: "Changed",
    Verb.REJECT: "Rejected",
    Verb.SNOOZE: "Snoozed",
    Verb.UNDO: "Taken back",
}
_SNOOZES = {"1h": timedelta(hours=1), "4h": timedelta(hours=4), "1d": timedelta(days=1)}
_ANSWERED = (AccessError, DecisionRefused, InvalidInput, Retryable)
"""What an answer can be refused with: then it comes back with its text."""
_MORNING = 8  # the hour of "tomorrow morning", in the shop's zone


@router.get("/inbox", response_class=HTMLResponse)
async def show_inbox(visit: Here) -> HTMLResponse:
    return await _listed(visit)


async def _listed(visit: Visit, error: StewardError | None = None) -> HTMLResponse:
    """With what was chosen and typed, where answering many at once was refused as a whole."""
    return await visit.page(
        "inbox.html",
        status=status_of(error) if error else 200,
        inbox=await inbox(visit.house.memory, now=visit.now),
        batch=uuid4(),
        error=error,
        chosen=visit.form.get("chosen[]", []),
        reason=visit.field("reason") if error else "",
    )


@router.post("/inbox/batch")
async def decide_many(visit: Here) -> Response:
    """Every chosen question for itself: one that cannot be answered keeps no other from its answer."""
    try:
        return await _decided(visit)
    except _ANSWERED as error:
        return await _listed(visit, error)


async def _decided(visit: Visit) -> Response:
    verb, chosen = _batch_verb(visit.field("verb")), _chosen(visit)
    if verb is Verb.REJECT and not visit.field("reason"):
        raise InvalidInput("a rejection needs a reason", hint="it is what Steward learns from")
    approvals = [await visit.house.memory.state.get(Approval, key) for key in chosen]
    if verb is Verb.APPROVE and any(a and needs_proof(a) for a in approvals):
        visit = await visit.prove()
    results = await _results(visit, verb, chosen)
    waiting = await visit.house.memory.views.waiting()  # fewer than when the visit began
    return await visit.page("inbox_batch.html", verb=verb, results=results, batch=uuid4(), waiting=waiting)


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
    """The changed action is looked at and audited again; what does not count comes back with what was typed."""
    approval = await _approval(visit, approval_id)
    try:
        if needs_proof(approval):
            visit = await visit.prove()
        action = edited(approval.proposal.action, visit.form)
        if action == approval.proposal.action:
            raise InvalidInput("nothing was changed", hint="approve it as it is, or change a field")
        return await _decide(visit, approval, Verb.EDIT, action=action)
    except _ANSWERED as error:
        return await _shown_again(visit, approval_id, Verb.EDIT, error)


@router.post("/inbox/{approval_id}/reject")
async def reject(visit: Here, approval_id: str) -> Response:
    try:
        return await _decide(visit, await _approval(visit, approval_id), Verb.REJECT)
    except _ANSWERED as error:
        return await _shown_again(visit, approval_id, Verb.REJECT, error)


@router.post("/inbox/{approval_id}/snooze")
async def snooze(visit: Here, approval_id: str) -> Response:
    until = _until(visit.field("for"), visit.now, visit.zone)
    return await _decide(visit, await _approval(visit, approval_id), Verb.SNOOZE, snooze_until=until)


@router.post("/inbox/{approval_id}/undo")
async def undo(visit: Here, approval_id: str) -> Response:
    """While it is held, nothing has begun."""
    return await _decide(visit, await _approval(visit, approval_id), Verb.UNDO)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one question of a batch. ``held`` where it can still be taken back."""

    approval_id: str
    what: str
    done: bool
    said: str
    held: Approval | None = None


async def _results(visit: Visit, verb: Verb, chosen: list[str]) -> list[Result]:
    until = _until(visit.field("for"), visit.now, visit.zone) if verb is Verb.SNOOZE else None
    batch = visit.field("batch")
    requests = [
        _request(
            visit,
            key,
            verb,
            digest=visit.field(f"digest:{key}"),
            decision_id=str(derived_id("batch", batch, key)),
            snooze_until=until,
        )
        for key in chosen
    ]
    return [await _result(visit, answer) for answer in await visit.house.decider.decide_all(requests)]


async def _result(visit: Visit, answer: Decided | NotDecided) -> Result:
    approval = await visit.house.memory.state.get(Approval, answer.approval_id)
    what = approval.proposal.action.summary() if approval else answer.approval_id
    if isinstance(answer, Decided):
        held = approval if approval and approval.is_held(visit.now) else None
        return Result(approval_id=answer.approval_id, what=what, done=True, said=answer.said, held=held)
    return Result(approval_id=answer.approval_id, what=what, done=False, said=f"{answer.message}. {answer.hint}".strip())


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
    request = _request(
        visit,
        approval.approval_id,
        verb,
        digest=visit.field("digest"),
        decision_id=visit.field("decision") or str(uuid4()),
        action=action,
        snooze_until=snooze_until,
    )
    decided = await visit.house.decider.decide(request)
    # What is held is shown with its countdown anyway.
    said = "" if decided.held_until else f"{_SAID[verb]}: {approval.proposal.action.summary()}"
    return await visit.see("/inbox", say=said)


def _request(
    visit: Visit,
    approval_id: str,
    verb: Verb,
    *,
    digest: str,
    decision_id: str,
    action: Action | None = None,
    snooze_until: datetime | None = None,
) -> DecisionRequest:
    return DecisionRequest(
        decision_id=decision_id,
        approval_id=approval_id,
        verb=verb,
        digest=digest,
        by=OPERATOR,
        via=Via.CONSOLE,
        reason=visit.field("note" if verb is Verb.EDIT else "reason"),  # an action may have a reason of its own
        edited=action.model_dump(mode="json") if action else None,
        snooze_until=snooze_until,
        hold_seconds=_HOLD if verb in (Verb.APPROVE, Verb.EDIT) else 0,
    )


def _batch_verb(word: str) -> Verb:
    if word not in _BATCH:
        raise InvalidInput(f"{word!r} is nothing that many can be answered with", hint=f"one of {', '.join(_BATCH)}")
    return Verb(word)


def _until(words: str, now: datetime, zone: str) -> datetime:
    """``1h``, ``4h``, ``1d``, or ``morning``: tomorrow's."""
    if words in _SNOOZES:
        return now + _SNOOZES[words]
    if words != "morning":
        raise InvalidInput(f"{words!r} is no time to come back", hint="choose one of the list")
    local = now.astimezone(ZoneInfo(zone)) + timedelta(days=1)
    return local.replace(hour=_MORNING, minute=0, second=0, microsecond=0)


async def _shown(visit: Visit, asked: Question) -> HTMLResponse:
    fields = fields_with({}, {}, list(fields_of(asked.approval.proposal.action)))
    return await _page(visit, asked, fields=fields)


async def _shown_again(visit: Visit, approval_id: str, verb: Verb, error: StewardError) -> HTMLResponse:
    """With what is wrong, and what was typed: in its form, or as text where the question cannot be answered any more."""
    asked = await question(visit.house.memory, approval_id, now=visit.now)
    sent = {name: value for name, value in visit.form.items() if isinstance(value, str)}
    own = list(fields_of(asked.approval.proposal.action)) if verb is Verb.EDIT else []
    problems = error.problems if isinstance(error, NotValid) else {}
    return await _page(
        visit,
        asked,
        status=status_of(error),
        fields=fields_with(sent if verb is Verb.EDIT else {}, problems, list(fields_of(asked.approval.proposal.action))),
        verb=verb,
        error=error,
        anew=error.asked_anew if isinstance(error, Overtaken) else "",
        note=sent.get("note", ""),
        reason=sent.get("reason", "") if verb is Verb.REJECT else "",
        typed=[(f.label, text) for f in own if not f.fixed and (text := sent.get(f.path, "")) not in ("", str(f.value))],
    )


async def _page(visit: Visit, asked: Question, *, fields: list[dict[str, Any]], status: int = 200, **more: Any) -> HTMLResponse:
    """``typed`` are (label, text) of the fields that were changed."""
    told = {"verb": "", "error": None, "anew": "", "note": "", "reason": "", "typed": [], **more}
    return await visit.page("question.html", status=status, asked=asked, fields=fields, decision=uuid4(), **told)
