"""The operator connects another system while an effect is on its way."""

from pathlib import Path

import pytest

from activities.actions import ActionActivities
from activities.steps import ActionResult, CarryOutInput, EffectInput, Proposed, ProposeInput, ResultKind
from connectors.fakes import InMemoryShop
from connectors.kinds import Kind, Opened, Opening
from connectors.switchboard import Switchboard
from connectors.vault import Vault
from domain.actions import Capability
from domain.connections import Connection, ConnectionMode
from domain.decisions import Proposal
from domain.effects import BreakerState, Effect, EffectStatus, reservation_of
from domain.errors import Stale, Unknown
from memory.fakes.shelves import InMemoryAttempts
from tests.unit.activities.test_rehearsal import NOW, Office
from tests.workflow import sample

WEB = Connection(name="web-shop", kind="shop", mode=ConnectionMode.LIVE, serves=(Capability.SHOP,))


class Street(Office):
    """A shop of its own, and another one that can be connected in its place. ``worker`` is a process that has just started."""

    def __init__(self, home: Path) -> None:
        super().__init__()
        self.web, self.connected = InMemoryShop(), list[Connection]()
        self._home = home

    def worker(self) -> ActionActivities:
        kind = Kind(name="shop", title="a shop", settings=(), open=self._open)
        vault, attempts = Vault(self._home, {}), InMemoryAttempts()
        board = Switchboard(connections=self._connections, kinds={"shop": kind}, vault=vault, attempts=attempts, home=self._home)
        return self.steps(board.connector(Capability.SHOP, otherwise=self.shop))

    async def proposal(self) -> Proposal:
        wish = ProposeInput(run_id="run", workflow="support", planned=sample.cancel(), now=NOW)
        proposed: Proposed = await self.worker().propose(wish)
        return proposed.proposal

    async def begun(self, proposal: Proposal) -> Effect:
        """As a step leaves it that dies at this moment."""
        wish = reservation_of(proposal, approval_id="", now=NOW)
        return await self.kept.ledger.begin((await self.kept.ledger.reserve(wish, connector=self.shop.name)).key, now=NOW)

    async def carry_out(self, proposal: Proposal) -> ActionResult:
        return await self.worker().carry_out(CarryOutInput(proposal=proposal, now=NOW))

    async def effect(self) -> Effect:
        return (await self.kept.ledger.effects())[0]

    async def _connections(self) -> list[Connection]:
        return self.connected

    def _open(self, _opening: Opening) -> Opened:
        return Opened(check=self.web.check, connectors={Capability.SHOP: self.web})


@pytest.fixture
async def street(tmp_path: Path) -> Street:
    street = Street(tmp_path)
    await street.open()
    await street.web.put_orders([sample.order()])
    return street


async def test_what_was_begun_with_another_system_is_not_done_again(street: Street) -> None:
    """The one connected now cannot say that it did not happen: nothing is done, and a human is asked."""
    proposal = await street.proposal()
    begun = await street.begun(proposal)
    street.connected = [WEB]
    with pytest.raises(Unknown, match=f"begun with {street.shop.name}"):
        await street.carry_out(proposal)
    with pytest.raises(Unknown):
        await street.worker().reconcile(EffectInput(key=begun.key, now=NOW))
    assert (street.web.executed, (await street.effect()).status) == (0, EffectStatus.UNKNOWN)


async def test_what_was_only_reserved_with_another_system_is_shown_again(street: Street) -> None:
    """It certainly did not happen."""
    proposal = await street.proposal()
    await street.kept.ledger.reserve(reservation_of(proposal, approval_id="", now=NOW), connector=street.shop.name)
    street.connected = [WEB]
    assert (await street.carry_out(proposal)).kind is ResultKind.STALE
    assert (street.web.executed, (await street.effect()).status) == (0, EffectStatus.FAILED)


async def test_an_effect_is_reserved_under_the_name_of_what_will_do_it(street: Street) -> None:
    """Also by a worker that has shown nothing yet: its breaker is the one that is looked at."""
    street.connected = [WEB]
    proposal = await street.proposal()
    assert (await street.carry_out(proposal)).kind is ResultKind.COMMITTED
    assert (street.web.executed, (await street.effect()).connector) == (1, "web-shop")
    kinds = {b.connector: b.state for b in await street.kept.guards.breakers()}
    assert kinds == {"web-shop": BreakerState.CLOSED}


async def test_what_another_system_did_is_not_undone_here(street: Street) -> None:
    """The record there is not the record here."""
    done = await street.carry_out(await street.proposal())
    street.connected = [WEB]
    with pytest.raises(Stale, match="done through"):
        await street.worker().undo(EffectInput(key=done.key, now=NOW))
    assert (street.web.executed, (await street.effect()).status) == (0, EffectStatus.COMMITTED)
