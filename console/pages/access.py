"""Who may enter: the operator's password and passkeys, and the tokens of programs."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from console.relying_party import elsewhere
from console.visit import Here, Visit, client_of, party_of
from domain.access import ApiToken, Scope, usable
from domain.errors import InvalidInput

router = APIRouter()
_DAYS = ("7", "30", "90", "365")
_CHANGED = "The password is changed, and every other session is closed; passkeys stay: look whether all of them are yours"
_MAY = {
    Scope.READ: "read: look at everything",
    Scope.PROPOSE: "propose: have actions asked of you",
    Scope.DECIDE: "decide: answer questions in your name",
}


@router.get("/controls/access", response_class=HTMLResponse)
async def show_access(visit: Here) -> HTMLResponse:
    return await _shown(visit)


@router.post("/controls/access/tokens")
async def issue_token(visit: Here) -> HTMLResponse:
    """The token is on this one page and nowhere else: no going on, and nothing keeps the page."""
    chosen = [text for text in visit.form.get("scope[]", []) if isinstance(text, str)]
    if unknown := [text for text in chosen if text not in list(Scope)]:
        raise InvalidInput(f"{unknown[0][:40]!r} is nothing that a token may do", hint=f"one of {', '.join(Scope)}")
    name, days = visit.field("name"), visit.field("days")
    if days not in _DAYS:
        raise InvalidInput(f"{days[:40]!r} is not how long a token is good for", hint=f"{', '.join(_DAYS)} days")
    visit = await visit.prove()
    secret = await visit.house.doorkeeper.keyring.issue(name, [Scope(text) for text in chosen], int(days))
    return await _shown(visit, name=name, secret=secret)


@router.post("/controls/access/tokens/revoke")
async def revoke_token(visit: Here) -> Response:
    name = visit.field("name")
    await visit.house.doorkeeper.keyring.revoke(name)
    return await visit.see("/controls/access", say=f"{name} lets nobody in any more")


@router.post("/controls/access/password")
async def change_password(visit: Here) -> Response:
    """Every other session is closed by it."""
    old, new, again = (str(visit.form.get(name, "")) for name in ("old", "new", "again"))
    if new != again:
        raise InvalidInput("the two new passwords differ", hint="nothing is changed; type them again")
    await visit.house.doorkeeper.change_password(visit.session, old, new, client_of(visit.request))
    return await visit.see("/controls/access", say=_CHANGED)


async def _shown(visit: Visit, *, name: str = "", secret: str = "") -> HTMLResponse:
    house = visit.house
    tokens = await house.doorkeeper.keyring.tokens()
    return await visit.page(
        "access.html",
        tokens=[(token, _standing(token, visit)) for token in reversed(tokens)],
        scopes=[(scope, _MAY[scope]) for scope in Scope],
        days=_DAYS,
        passkeys=await house.doorkeeper.passkeys.all(),
        party=party_of(visit.request),
        elsewhere=elsewhere(house.hosts, house.public_url),
        name=name,
        secret=secret,
    )


def _standing(token: ApiToken, visit: Visit) -> str:
    if token.revoked_at:
        return "revoked"
    return "good" if usable(token, visit.now) else "expired"
