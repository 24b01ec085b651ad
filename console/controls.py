"""What stands between a plan and the world: modes, bypasses, bounds, breakers and the times of the runs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from activities.breakers import next_trial
from console.house import House
from domain.actions import ACTION_TYPES, Capability
from domain.autonomy import PROPOSE
from domain.decisions import Bypass, Mode
from domain.deliveries import RESTOCK
from domain.effects import Breaker
from domain.errors import Retryable
from domain.policies import BoundsPolicy
from domain.runs import Controls
from domain.switches import WORKFLOWS, means, modes_in_force, open_bypasses
from workflows.timetable import Timed, schedules

_REACHES = {
    "support": (Capability.HELPDESK, Capability.SHOP, Capability.PAYMENTS),
    "replenish": (Capability.SUPPLIERS,),
    "content": (Capability.SITE,),
    RESTOCK: (),  # it does one kind of thing, so that nothing narrower can be said
    PROPOSE: tuple(Capability),
}


@dataclass(frozen=True, kw_only=True)
class ModeRow:
    scope: str
    mode: Mode
    means: str
    bypass: Bypass | None

    @property
    def narrow(self) -> bool:
        """Whether it is about one kind of action."""
        return "/" in self.scope


@dataclass(frozen=True, kw_only=True)
class BoundRow:
    """``share`` of today's limit that is used; None where there is no limit."""

    name: str
    used: Decimal
    limit: Decimal | None

    @property
    def share(self) -> float | None:
        return float(self.used / self.limit) if self.limit else None


@dataclass(frozen=True, kw_only=True)
class BreakerRow:
    breaker: Breaker
    trial: datetime | None


@dataclass(frozen=True, kw_only=True)
class Guarding:
    """``times`` is None where Temporal does not answer."""

    modes: list[ModeRow]
    scopes: list[str]
    bypasses: list[Bypass]
    bounds: list[BoundRow]
    breakers: list[BreakerRow]
    times: list[Timed] | None


async def guarding(house: House, controls: Controls, *, now: datetime) -> Guarding:
    guards = house.memory.guards
    policy = (await house.memory.policies.in_force(BoundsPolicy)).document
    pause = timedelta(seconds=policy.breaker_seconds)
    bypasses = open_bypasses(controls, now)
    over = {bypass.scope: bypass for bypass in bypasses}
    return Guarding(
        modes=[ModeRow(scope=s, mode=m, means=means(s, m), bypass=over.get(s)) for s, m in modes_in_force(controls)],
        scopes=scopes(),
        bypasses=bypasses,
        bounds=[BoundRow(name=b.value, used=used, limit=limit) for b, (used, limit) in (await guards.used(now=now)).items()],
        breakers=[BreakerRow(breaker=one, trial=next_trial(one, pause)) for one in await guards.breakers()],
        times=await _times(house),
    )


def scopes() -> list[str]:
    """Everything that a mode can be set for."""
    kinds = [(w, kind) for w in WORKFLOWS for kind, action in ACTION_TYPES.items() if action.spec.capability in _REACHES[w]]
    return [scope for w in WORKFLOWS for scope in (w, *(f"{w}/{kind}" for workflow, kind in kinds if workflow == w))]


async def _times(house: House) -> list[Timed] | None:
    try:
        return await schedules(house.client)
    except (Retryable, RuntimeError):  # the SDK raises RuntimeError where it cannot connect at all
        return None
