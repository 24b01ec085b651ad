"""An effect through a connection that is not live: shown, recorded, and nothing becomes true."""

from datetime import UTC, datetime
from pathlib import Path

import connectors
import memory
from activities.actions import ActionActivities
from activities.licensing import Licensing
from activities.steps import CarryOutInput, ProposeInput, ResultKind
from agents.auditor import Auditor
from agents.executor import Executor
from connectors.exchanges import Exchanges
from connectors.fakes import InMemoryShop
from connectors.modes import DryRunConnector
from domain.actions import Bound, Capability
from domain.decisions import Mode
from domain.effects import EffectStatus
from domain.entities import Order, OrderStatus
from domain.event import EventData, new_event
from domain.ports import Connector
from domain.runs import ModeSet, Run, RunStarted
from models.embedding import HashingEmbedder
from tests.workflow import sample

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


class Office:
    """A shop in memory in which everything goes without a question."""

    def __init__(self) -> None:
        self.kept = memory.in_memory(embedder=HashingEmbedder())
        outside = connectors.in_memory()[Capability.SHOP]
        assert isinstance(outside, InMemoryShop)
        self.shop = outside

    async def open(self) -> None:
        await self.shop.put_orders([sample.order()])
        auto = ModeSet(scope="support", mode=Mode.AUTO, by="operator")
        await self._tell(*sample.business(sample.order()), auto, RunStarted(run_id="run", workflow="support", at=NOW))

    def steps(self, shop: Connector) -> ActionActivities:
        kept = self.kept
        return ActionActivities(
            executor=Executor(connectors={Capability.SHOP: shop, Capability.PAYMENTS: shop}),
            auditor=Auditor(state=kept.state, policies=kept.policies),
            ledger=kept.ledger,
            guards=kept.guards,
            log=kept.log,
            state=kept.state,
            policies=kept.policies,
            licensing=Licensing(flags=kept.flags, log=kept.log, policies=kept.policies, state=kept.state),
        )

    async def cancel(self, shop: Connector) -> ResultKind:
        steps = self.steps(shop)
        proposed = await steps.propose(ProposeInput(run_id="run", workflow="support", planned=sample.cancel(), now=NOW))
        return (await steps.carry_out(CarryOutInput(proposal=proposed.proposal, now=NOW))).kind

    async def status(self) -> OrderStatus:
        order = await self.kept.state.get(Order, sample.order().order_id)
        assert order is not None
        return order.status

    async def _tell(self, *events: EventData) -> None:
        await self.kept.log.append([new_event(e, at=NOW, key=(str(n), e.type)) for n, e in enumerate(events)])


async def test_what_was_only_shown_is_not_recorded_as_done_and_can_be_done_later(tmp_path: Path) -> None:
    """The order stays as it is, the bounds are given back, the run says so; live, the same step happens once."""
    office = Office()
    await office.open()
    rehearsing = DryRunConnector(office.shop, Exchanges(tmp_path / "exchanges.jsonl"), name="my-shop")
    assert [await office.cancel(rehearsing) for _ in range(2)] == [ResultKind.SUGGESTED] * 2
    assert (office.shop.executed, await office.status()) == (0, OrderStatus.PAID)
    assert (await office.kept.guards.used(now=NOW))[Bound.ORDER_CHANGES][0] == 0
    run = await office.kept.state.get(Run, "run")
    assert run is not None
    assert len(run.suggested) == 1
    assert "my-shop sent nothing" in run.suggested[0]
    assert [e.status for e in await office.kept.ledger.effects()] == [EffectStatus.FAILED]
    assert await office.cancel(office.shop) is ResultKind.COMMITTED
    assert (office.shop.executed, await office.status()) == (1, OrderStatus.CANCELLED)
