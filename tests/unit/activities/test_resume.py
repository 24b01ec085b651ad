"""A step that died after it began its effect, taken up again."""

from datetime import UTC, datetime

import connectors
import memory
from activities.actions import ActionActivities
from activities.licensing import Licensing
from activities.steps import CarryOutInput, ProposeInput, ResultKind
from agents.auditor import Auditor
from agents.executor import Executor
from connectors.fakes import InMemoryShop
from domain.actions import Capability
from domain.decisions import Mode
from domain.effects import EffectStatus, reservation_of
from domain.event import EventData, new_event
from domain.runs import KillSwitchSet, ModeSet
from models.embedding import HashingEmbedder
from tests.workflow import sample

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


async def test_the_kill_switch_stops_an_effect_that_was_begun_and_did_not_happen() -> None:
    """Nothing is found outside, so nothing is done: the effect is given up and nothing was executed."""
    kept, outside = memory.in_memory(embedder=HashingEmbedder()), connectors.in_memory()
    shop = outside[Capability.SHOP]
    assert isinstance(shop, InMemoryShop)
    await shop.put_orders([sample.order()])
    await _tell(kept, *sample.business(sample.order()), ModeSet(scope="support", mode=Mode.AUTO, by="operator"))
    steps = ActionActivities(
        executor=Executor(connectors=outside),
        auditor=Auditor(state=kept.state, policies=kept.policies),
        ledger=kept.ledger,
        guards=kept.guards,
        log=kept.log,
        state=kept.state,
        policies=kept.policies,
        licensing=Licensing(flags=kept.flags, log=kept.log, policies=kept.policies, state=kept.state),
    )
    proposed = await steps.propose(ProposeInput(run_id="run", workflow="support", planned=sample.cancel(), now=NOW))
    begun = await kept.ledger.reserve(reservation_of(proposed.proposal, approval_id="", now=NOW), connector=shop.name)
    await kept.ledger.begin(begun.key, now=NOW)
    await _tell(kept, KillSwitchSet(on=True, by="operator"))
    result = await steps.carry_out(CarryOutInput(proposal=proposed.proposal, now=NOW))
    assert (result.kind, shop.executed) == (ResultKind.REFUSED, 0)
    assert [e.status for e in await kept.ledger.effects(key=begun.key)] == [EffectStatus.FAILED]


async def _tell(kept: memory.Memory, *events: EventData) -> None:
    await kept.log.append([new_event(e, at=NOW, key=(str(n), e.type)) for n, e in enumerate(events)])
