"""How a world ends: what its runs came to, what happened outside, and whether the memory of it is whole."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import WorkflowExecutionStatus

from connectors.local_shop import LocalShop
from domain.actions import Action, AdjustStock, Capability
from domain.effects import EffectStatus
from domain.runs import Run
from memory.rebuild import rebuild_check
from tests.chaos.scenarios import CAME, ON_HAND
from tests.chaos.world import World

_DONE = (EffectStatus.COMMITTED, EffectStatus.COMPENSATED)


@dataclass(frozen=True, kw_only=True)
class Ending:
    """``outside`` and ``ledger`` count effects by the kind of action: where they happened, and where they are accounted for.

    A change of stock is counted by its article too, since one that is lost must not make up for another that is doubled.
    """

    runs: dict[str, WorkflowExecutionStatus | None]
    results: dict[str, str]
    outside: Counter[str]
    ledger: Counter[str]
    events: Counter[str]
    broken: tuple[str, ...]

    def lost(self, expected: "Ending") -> Counter[str]:
        """Effects that should be outside and are not."""
        return (expected.outside | self.ledger) - self.outside

    def doubled(self, expected: "Ending") -> Counter[str]:
        """Effects that are outside once too often."""
        return self.outside - (expected.outside & self.ledger)


async def ending(world: World, run_ids: Sequence[str]) -> Ending:
    """Looks at everything; the runs have ended."""
    effects = await world.kept.ledger.effects()
    records = await world.kept.state.find(Run)
    return Ending(
        runs={run_id: await world.status(run_id) for run_id in run_ids},
        results={r.run_id: f"{r.status}: {r.result}" for r in records if r.run_id in run_ids},
        outside=await _outside(world),
        ledger=Counter(_named(e.action) for e in effects if e.status in _DONE),
        events=await _events(world, run_ids),
        broken=(*(f"{e.action.summary()} is {e.status}" for e in effects if e.status not in _DONE), *await _faults(world)),
    )


async def _outside(world: World) -> Counter[str]:
    """Mails by the kind that their names tell, refunds on orders, stock that rose in the shop, revisions of pages."""
    outside = world.orders.home / "outside"
    shop = world.connectors[Capability.SHOP]
    assert isinstance(shop, LocalShop)
    there = await shop.snapshot()
    orders, stock = there["orders"].values(), there["stock"].items()
    return Counter(
        [
            *(_kind(mail) for mail in (outside / "mail" / "outgoing").glob("*/*.steward*")),
            *("refund-order" for order in orders for _ in order["refunds"]),
            *(f"adjust-stock {sku}" for sku, units in stock for _ in range(ON_HAND, units, CAME)),
            *("publish-content" for _ in (outside / "site" / ".revisions").glob("*/*.md")),
        ]
    )


def _named(action: Action) -> str:
    return f"{action.kind} {action.sku}" if isinstance(action, AdjustStock) else action.kind


def _kind(mail: Path) -> str:
    return mail.name.split("_")[1]


async def _events(world: World, run_ids: Sequence[str]) -> Counter[str]:
    """By type; those of other runs, which these may have set off, are not counted."""
    kinds, after = Counter[str](), 0
    while batch := await world.kept.log.read(after=after):
        kinds.update(event.type for event in batch if event.correlation_id in ("", *run_ids))
        after = batch[-1].seq
    return kinds


async def _faults(world: World) -> list[str]:
    """What is wrong with the chain, or where the state is not the fold of the log."""
    verification = await world.kept.log.verify()
    rebuilt = await rebuild_check(world.orders.database_url, home=world.orders.home)
    return [problem for problem in (verification.problem, *rebuilt.differences) if problem]
