"""The arithmetic of bounds: what an action uses, of what, and whether it fits. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from domain.actions import Action, Bound
from domain.policies import BoundsPolicy

Scope = str
"""``day/<UTC date>`` or ``run/<run id>``."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What an action uses of one bound in one scope; ``limit`` is None where policy sets none."""

    scope: Scope
    bound: Bound
    amount: Decimal
    limit: Decimal | None


def day_scope(now: datetime) -> Scope:
    return f"day/{now.astimezone(UTC).date()}"


def charges(action: Action, *, run_id: str, now: datetime, policy: BoundsPolicy) -> list[Charge]:
    """Sorted by scope and bound, so that whoever locks the rows locks them in one order."""
    used = action.charges().items()
    per_day = [Charge(day_scope(now), bound, amount, policy.per_day.get(bound)) for bound, amount in used]
    per_run = [Charge(f"run/{run_id}", bound, amount, policy.per_run.get(bound)) for bound, amount in used]
    return sorted(per_day + per_run, key=lambda charge: (charge.scope, charge.bound))


def uncounted(action: Action, *, currency: str) -> str:
    """Why the bounds, which count money in the shop's ``currency``, cannot count the action, as a sentence; "" where they can."""
    money = action.money()
    return "" if money is None or money.currency == currency else f"the bounds count {currency}, and this is {money}"


def first_exceeded(wanted: Sequence[Charge], used: Mapping[tuple[Scope, Bound], Decimal]) -> str:
    """The first bound the charges do not fit into, given what is used already, as a sentence; "" where they fit."""
    for charge in wanted:
        before = used.get((charge.scope, charge.bound), Decimal(0))
        if charge.limit is not None and before + charge.amount > charge.limit:
            span = "a day" if charge.scope.startswith("day/") else "for one run"
            return (
                f"{charge.bound} is limited to {_plain(charge.limit)} {span}: "
                f"{_plain(before)} is used and this needs {_plain(charge.amount)}"
            )
    return ""


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
