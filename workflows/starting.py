"""Starting a run now, as the schedules do: what CLI and console offer."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from domain.entities import Supplier
from domain.errors import InvalidInput, NotFound
from domain.ports import State
from workflows.gateway import Gateway


class What(StrEnum):
    REPLENISH = "replenish"
    CONTENT = "content"
    DIGEST = "digest"
    LEARN = "learn"


async def start(gateway: Gateway, state: State, what: What, *, now: datetime, suppliers: Sequence[str] = ()) -> str:
    """The id of the run: the one under way where there is one, since of each kind there is one a day.

    Raises InvalidInput, NotFound for a supplier that is none, Retryable where Temporal does not answer.
    """
    await _check_suppliers(state, what, suppliers)
    match what:
        case What.REPLENISH:
            return await gateway.start_replenishment(now=now, suppliers=tuple(suppliers))
        case What.CONTENT:
            return await gateway.start_content(now=now)
        case What.DIGEST:
            return await gateway.start_digest(now=now)
        case What.LEARN:
            return await gateway.start_learning(now=now)


async def _check_suppliers(state: State, what: What, suppliers: Sequence[str]) -> None:
    if suppliers and what is not What.REPLENISH:
        raise InvalidInput("suppliers go with replenish only", hint="name none, or replenish")
    for supplier_id in suppliers:
        if await state.get(Supplier, supplier_id) is None:
            raise NotFound(f"there is no supplier {supplier_id!r}", hint="`./steward state list supplier` shows them")
