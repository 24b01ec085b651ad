"""What the simulated days are like: rates, the operator's habits, and shocks. A YAML file may change any of it."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from domain.errors import InvalidInput
from domain.model import Moment, Value
from domain.problems import first_problem

Share = Annotated[float, Field(ge=0, le=1)]


class ShockKind(StrEnum):
    SLOW_SUPPLIER = "slow-supplier"  # ``name`` delivers ``factor`` times later than it used to
    NEW_QUESTION = "new-question"  # customers begin to ask ``name``, in ``factor`` of all mails
    DEMAND = "demand"  # everything sells ``factor`` times as much
    POLICY = "policy"  # the operator puts ``change`` of the policy ``name`` in force
    CANDIDATE = "candidate"  # ``change`` of the policy ``name`` is tried, as if it had been learned


class Shock(Value):
    """What changes on the morning of ``day`` (the first day is 1)."""

    day: Annotated[int, Field(ge=1)]
    kind: ShockKind
    name: str = ""
    factor: Annotated[float, Field(gt=0)] = 1.0
    change: dict[str, Any] = Field(default_factory=dict)


class Scenario(Value):
    """Rates are means a day. The same scenario and seed make the same customers, sales and deliveries."""

    start: date = date(2030, 1, 7)  # a Monday far ahead: clocks can be put forward, never back
    mails: Annotated[float, Field(ge=0, le=100)] = 9.0
    orders: Annotated[float, Field(ge=0, le=100)] = 7.0
    jargon: Share = 0.35  # of the mails, in words that only this shop's customers use
    unnumbered: Share = 0.15  # of the mails about an order that forget its number
    thanks: Share = 0.35  # of the customers who got what they wanted
    late_parcels: Share = 0.2
    lead_time_factor: dict[str, float] = Field(default_factory=lambda: {"brandt": 1.3, "linho": 1.1, "cirelle": 0.9})
    sessions: tuple[Annotated[int, Field(ge=6, le=20)], ...] = (9, 16)  # hours (UTC) at which the operator decides
    noticed: Share = 0.98  # of the wrong proposals, by the operator who looks at them
    policies: dict[str, dict[str, Any]] = Field(
        default_factory=lambda: {"content": {"pages_per_run": 1, "measure_after_days": 7}, "stock": {"debounce_minutes": 10}}
    )
    shocks: tuple[Shock, ...] = ()

    def midnight(self, day: int) -> Moment:
        """The beginning of ``day``; the first is 1."""
        return datetime.combine(self.start, time(), UTC) + timedelta(days=day - 1)

    def on(self, day: int, kind: ShockKind) -> list[Shock]:
        """The shocks of a kind that are felt on ``day``."""
        return [s for s in self.shocks if s.kind is kind and s.day <= day]


def read_scenario(path: Path | None) -> Scenario:
    """The scenario of a file, or the usual one. Raises InvalidInput for a file that is none."""
    if path is None:
        return Scenario()
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}", hint="a scenario is a YAML file") from error
    try:
        return Scenario.model_validate(found or {})
    except ValidationError as error:
        where, problem = first_problem(error)
        raise InvalidInput(f"{path}: {where or 'it'}: {problem}", hint=f"it may set {', '.join(Scenario.model_fields)}") from error
