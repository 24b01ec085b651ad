"""A link from a mail or a chat: a page to confirm one decision. Looking decides nothing, so that a mail scanner cannot."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from activities.linking import Linking
from console.house import House
from console.rendering import render
from console.visit import house_of
from domain.actions import Risk
from domain.approvals import Approval, Verb, Via
from domain.errors import InvalidInput, NotFound, Retryable, StewardError
from domain.links import PATH, DeadLink, OpenLink
from domain.policies import OPERATOR
from workflows.deciding import DecisionRequest

router = APIRouter()
_GONE = 410
_VERBS = (Verb.APPROVE, Verb.REJECT)


@router.get(PATH + "{token}", response_class=HTMLResponse)
async def confirm(request: Request, token: str) -> Response:
    house = house_of(request)
    found = await _linking(house).look(token, now=house.clock())
    return _dead(found) if isinstance(found, DeadLink) else await _shown(house, token, found)


@router.post(PATH + "{token}")
async def decide(request: Request, token: str) -> Response:
    """Who holds the link needs no session; the guard has looked at where the form comes from."""
    house, sent = house_of(request), await request.form(max_files=0, max_fields=10)
    verb, reason = str(sent.get("verb", "")), str(sent.get("reason", "")).strip()
    if verb not in _VERBS or len(reason) > 2_000:
        raise InvalidInput("this is no answer to the question", hint="use the buttons of the page")
    seen = await _linking(house).look(token, now=house.clock())
    if isinstance(seen, OpenLink) and seen.needs_login and verb == Verb.APPROVE:
        return RedirectResponse(f"/inbox/{seen.approval_id}", 303)
    if isinstance(seen, OpenLink) and verb == Verb.REJECT and not reason:
        return await _shown(house, token, seen, error="say why not: Steward learns from it")
    return await _redeem(house, token, Verb(verb), reason)


async def _redeem(house: House, token: str, verb: Verb, reason: str) -> Response:
    """Used up first, so that of two at once one decides; given back where nobody could take the decision."""
    found = await _linking(house).redeem(token, now=house.clock())
    if isinstance(found, DeadLink):
        return _dead(found)
    request = DecisionRequest(
        decision_id=found.decision_id,
        approval_id=found.approval_id,
        verb=verb,
        digest=found.digest,
        by=OPERATOR,
        via=Via.MAIL_LINK,
        reason=reason,
    )
    try:
        await house.decider.decide(request)
    except Retryable:
        await _linking(house).restore(token)
        raise
    except StewardError as error:
        return _dead(DeadLink(why=str(error)))
    return HTMLResponse(render("link_done.html", {"verb": verb}))


def _linking(house: House) -> Linking:
    return Linking(links=house.memory.links, state=house.memory.state)


async def _shown(house: House, token: str, found: OpenLink, *, error: str = "") -> HTMLResponse:
    approval = await house.memory.state.get(Approval, found.approval_id)
    if approval is None:
        raise NotFound("this link leads nowhere", hint="open the console")
    proposal = approval.proposal
    context = {
        "action": proposal.action,
        "money": proposal.action.spec.risk >= Risk.R2,
        "why": proposal.gate.reasons,
        "findings": proposal.verdict.findings,
        "link": found,
        "token": token,
        "error": error,
    }
    return HTMLResponse(render("link.html", context), 422 if error else 200)


def _dead(link: DeadLink) -> HTMLResponse:
    return HTMLResponse(
        render("refused.html", {"message": link.why, "hint": "the console shows what waits", "layout": "bare.html", "back": ""}),
        _GONE,
    )
