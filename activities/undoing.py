"""What undoing a run would do, from the ledger and from what became of its orders since."""

from domain.effects import Effect
from domain.entities import PurchaseOrder
from domain.ports import Ledger, State
from domain.runs import Run
from domain.undoing import Undoing, undoing


async def what_to_undo(run_id: str, *, state: State, ledger: Ledger, everything: bool = False) -> Undoing:
    """What can be undone of ``effects_of`` the run, and what stays."""
    effects = await effects_of(run_id, state=state, ledger=ledger, everything=everything)
    return undoing(effects, orders=await state.find(PurchaseOrder) if effects else ())


async def effects_of(run_id: str, *, state: State, ledger: Ledger, everything: bool = False) -> list[Effect]:
    """The run's effects since it last began, newest first; with ``everything``, all that were ever had under its id.

    A run named after a supplier, a ticket or a page begins again and again under the same id.
    """
    effects = await ledger.effects(run_id=run_id)
    run = await state.get(Run, run_id)
    return [e for e in effects if everything or run is None or e.reserved_at >= run.started_at]
