"""Connectors: the outside systems, whether each answers, and when it last did what was asked of it."""

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from console.visit import Here, Visit
from domain.actions import ACTION_TYPES, Capability
from domain.effects import Breaker, BreakerState
from domain.errors import NotFound, StewardError
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


@router.get("/connectors", response_class=HTMLResponse)
async def show_connectors(visit: Here) -> HTMLResponse:
    """Without asking them: each is asked by its own part of the page, so that one that hangs keeps nothing back."""
    return await visit.page("connectors.html", cards=await cards(visit))


@router.get("/connectors/{capability}", response_class=HTMLResponse)
async def test_connector(visit: Here, capability: str) -> HTMLResponse:
    """Asked now; it changes nothing outside."""
    card = next((card for card in await cards(visit) if card.capability == capability), None)
    if card is None:
        raise NotFound(f"nothing is connected for {capability[:40]!r}", hint="the page of connectors lists them")
    return await visit.page("connector.html", card=card, health=await health(visit.house.connectors[card.capability]))


async def cards(visit: Visit) -> list[Card]:
    connectors, kept = visit.house.connectors, visit.house.memory
    reached = await kept.reach.reached([one.name for one in connectors.values()])
    resting = [b for b in await kept.guards.breakers() if b.state is not BreakerState.CLOSED]
    return [
        Card(
            capability=capability,
            name=connector.name,
            does=[kind for kind, action in ACTION_TYPES.items() if action.spec.capability is capability],
            reached=last,
            breakers=[b for b in resting if b.connector == connector.name],
        )
        for (capability, connector), last in zip(connectors.items(), reached, strict=True)
    ]


async def health(connector: Connector) -> Health:
    try:
        return Health(ok=True, said=await asyncio.wait_for(connector.check(), _WITHIN))
    except TimeoutError:
        return Health(ok=False, said=f"it did not answer within {_WITHIN:g} seconds")
    except StewardError as error:
        return Health(ok=False, said=str(error))
