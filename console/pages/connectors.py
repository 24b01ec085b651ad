"""Connectors: the outside systems, whether each answers, when it last did what was asked of it, and when it was read."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from console.recording import record
from console.visit import Here, Visit
from domain.actions import ACTION_TYPES, Capability
from domain.connections import CONNECTING, MEANS, Connection, ConnectionMode, ConnectionModeSet, StreamProgress, serving
from domain.effects import Breaker, BreakerState
from domain.errors import InvalidInput, NotFound, Refused, StewardError
from domain.policies import OPERATOR
from domain.ports import Connector
from memory.reach import Reached

router = APIRouter()
_WITHIN = 10.0  # seconds a system may take to say how it is


@dataclass(frozen=True, kw_only=True)
class Card:
    """``does`` are the kinds of actions that go through it; ``breakers`` those that rest."""

    capability: Capability
    name: str
    does: list[str]
    reached: Reached
    breakers: list[Breaker]


@dataclass(frozen=True, kw_only=True)
class Health:
    """What it said just now, or what was wrong."""

    ok: bool
    said: str


@dataclass(frozen=True, kw_only=True)
class Connected:
    """A connected system, and how far each of its streams was read."""

    connection: Connection
    means: str
    streams: list[StreamProgress]


@router.get("/connectors", response_class=HTMLResponse)
async def show_connectors(visit: Here) -> HTMLResponse:
    """Without asking them: each is asked with its own button, so that to look at the page logs in nowhere."""
    return await visit.page(
        "connectors.html", cards=await cards(visit), connected=await connected(visit), modes=list(ConnectionMode)
    )


@router.get("/connectors/{capability}", response_class=HTMLResponse)
async def test_connector(visit: Here, capability: str) -> HTMLResponse:
    """Asked now; it changes nothing outside."""
    card = next((card for card in await cards(visit) if card.capability == capability), None)
    if card is None:
        raise NotFound(f"nothing is connected for {capability[:40]!r}", hint="the page of connectors lists them")
    return await visit.page("connector.html", card=card, health=await health(visit.house.connectors[card.capability].check()))


@router.get("/connectors/of/{name}", response_class=HTMLResponse)
async def test_connection(visit: Here, name: str) -> HTMLResponse:
    """Asked now, where its mode lets anything call it."""
    connection = await _connection(visit, name)
    if connection.mode in (ConnectionMode.OFF, ConnectionMode.REPLAY):
        raise Refused(f"{name[:40]} is {connection.mode}: {MEANS[connection.mode]}", hint="switch it first, then test it")
    return await visit.page("connection.html", connection=connection, health=await health(visit.house.call(connection)))


@router.post("/connectors/of/{name}/mode")
async def switch(visit: Here, name: str) -> Response:
    """As ``./steward connect NAME --mode``. Live wants the password: from then on it does things outside."""
    connection, word = await _connection(visit, name), visit.field("mode")
    if word not in list(ConnectionMode):
        raise InvalidInput(f"{word[:40]!r} is no mode", hint=f"one of {', '.join(ConnectionMode)}")
    if word == ConnectionMode.LIVE and connection.mode is not ConnectionMode.LIVE:
        visit = await visit.prove()
    await record(visit, ConnectionModeSet(name=name, mode=ConnectionMode(word), by=OPERATOR))
    return await visit.see("/connectors", say=f"{name} is {word}: {MEANS[ConnectionMode(word)]}")


async def cards(visit: Visit) -> list[Card]:
    kept, everybody = visit.house.memory, await visit.house.memory.state.find(Connection)
    names = {c: _name(serving(everybody, c), connector) for c, connector in visit.house.connectors.items()}
    reached = await kept.reach.reached(list(names.values()))
    resting = [b for b in await kept.guards.breakers() if b.state is not BreakerState.CLOSED]
    return [
        Card(
            capability=capability,
            name=name,
            does=[kind for kind, action in ACTION_TYPES.items() if action.spec.capability is capability],
            reached=last,
            breakers=[b for b in resting if b.connector == name],
        )
        for (capability, name), last in zip(names.items(), reached, strict=True)
    ]


async def connected(visit: Visit) -> list[Connected]:
    kept = visit.house.memory
    return [
        Connected(connection=one, means=MEANS[one.mode], streams=await _streams(visit, one))
        for one in await kept.state.find(Connection)
    ]


async def health(check: Awaitable[str]) -> Health:
    try:
        return Health(ok=True, said=await asyncio.wait_for(check, _WITHIN))
    except TimeoutError:
        return Health(ok=False, said=f"it did not answer within {_WITHIN:g} seconds")
    except StewardError as error:
        return Health(ok=False, said=str(error))


async def _connection(visit: Visit, name: str) -> Connection:
    found = await visit.house.memory.state.get(Connection, name)
    if found is None:
        raise NotFound(f"nothing is connected as {name[:40]!r}", hint="the page of connectors lists what is")
    return found


async def _streams(visit: Visit, connection: Connection) -> list[StreamProgress]:
    """The trouble of opening it is shown only while there is one."""
    found = await visit.house.memory.cursors.streams(connection.name)
    return [one for one in found if one.stream != CONNECTING or one.failures]


def _name(connection: Connection | None, connector: Connector) -> str:
    """Under which the ledger knows it."""
    return connection.name if connection else connector.name
