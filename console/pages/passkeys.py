"""Passkeys: adding and removing them, coming in with one, and proving with one what else the password proves.

What ends in ``/options`` is asked by the page's script, in JSON; what the browser's own dialog then gave is sent as a field of
a form, as JSON too (W3C WebAuthn 5.1, RegistrationResponseJSON and AuthenticationResponseJSON).
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from console.ceremony import LONGEST_ANSWER
from console.pages.entry import shown, welcome
from console.relying_party import RelyingParty
from console.visit import Here, client_of, house_of, inside, party_of
from domain.errors import InvalidInput, StewardError

door = APIRouter()
"""For who is not logged in yet."""
router = APIRouter()


@door.post("/login/passkey/options")
async def ask_log_in(request: Request) -> dict[str, Any]:
    """No session exists yet, so that the guard's look at the origin is what keeps other sites out."""
    return await house_of(request).doorkeeper.passkeys.ask_log_in(_party(request), client_of(request))


@door.post("/login/passkey")
async def log_in(request: Request) -> Response:
    house, sent = house_of(request), await request.form(max_files=0, max_fields=10)
    answer, following = str(sent.get("credential", "")), str(sent.get("next", "/"))
    try:
        entered = await house.doorkeeper.passkeys.log_in(_party(request), answer, client_of(request))
    except StewardError as error:
        return await shown("login.html", request, error=error, status=403, following=following)
    return welcome(house, entered, inside(following))


@router.post("/prove/passkey/options")
async def ask_proof(visit: Here) -> dict[str, Any]:
    return await visit.house.doorkeeper.passkeys.ask_proof(visit.session, _party(visit.request))


@router.post("/prove/passkey")
async def prove(visit: Here) -> Response:
    answer, client = visit.field("credential", most=LONGEST_ANSWER), client_of(visit.request)
    await visit.house.doorkeeper.passkeys.prove(visit.session, _party(visit.request), answer, client)
    return Response(status_code=204)


@router.post("/controls/access/passkeys/options")
async def ask_new(visit: Here) -> dict[str, Any]:
    visit, party = await visit.prove(), _party(visit.request)
    return await visit.house.doorkeeper.passkeys.ask_new(visit.session, party, visit.field("name"))


@router.post("/controls/access/passkeys")
async def add(visit: Here) -> Response:
    visit, party = await visit.prove(), _party(visit.request)
    name, answer = visit.field("name"), visit.field("credential", most=LONGEST_ANSWER)
    await visit.house.doorkeeper.passkeys.add(visit.session, party, name, answer)
    return await visit.see("/controls/access", say=f"The passkey {name} opens {party.rp_id} from now on")


@router.post("/controls/access/passkeys/remove")
async def remove(visit: Here) -> Response:
    visit, name = await visit.prove(), visit.field("name")
    await visit.house.doorkeeper.passkeys.remove(visit.session, name)
    return await visit.see("/controls/access", say=f"The passkey {name} opens nothing any more, and every other session is closed")


def _party(request: Request) -> RelyingParty:
    """Raises InvalidInput where a browser can have no passkey."""
    party = party_of(request)
    if party is None:
        raise InvalidInput("there are no passkeys under this address", hint="the page of access says under which there are")
    return party
