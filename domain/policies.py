"""Policies: versioned documents that say how the business wants things done. Code reads them, never the other way round."""

from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from domain.actions import Bound
from domain.event import EventData
from domain.model import Moment, Name, Value
from domain.money import Money
from domain.playbooks import DEFAULT_PLAYBOOKS, Playbook


class Policy(Value):
    """Base of the typed policy documents. The defaults are what a careful newcomer would choose."""


class GatePolicy(Policy):
    """When an action in auto mode is done without asking."""

    minimum_confidence: dict[str, float] = Field(
        default_factory=lambda: {"send-reply": 0.75, "refund-order": 0.9, "cancel-order": 0.9, "change-address": 0.9}
    )
    default_minimum_confidence: float = 0.8
    money_without_asking: dict[str, Money] = Field(
        default_factory=lambda: {"refund-order": Money.of(25), "place-purchase-order": Money.of(300)}
    )
    always_ask: tuple[str, ...] = ()


class BoundsPolicy(Policy):
    """Limits of what all effects together may use. A bound that is not named is not limited."""

    per_day: dict[Bound, Decimal] = Field(
        default_factory=lambda: {
            Bound.REPLIES: Decimal(200),
            Bound.REFUNDS: Decimal(10),
            Bound.REFUND_MONEY: Decimal(500),
            Bound.ORDER_CHANGES: Decimal(30),
            Bound.PURCHASE_MONEY: Decimal(10_000),
            Bound.PUBLICATIONS: Decimal(3),
            Bound.MODEL_MONEY: Decimal(5),
        }
    )
    per_run: dict[Bound, Decimal] = Field(
        default_factory=lambda: {
            Bound.REPLIES: Decimal(10),
            Bound.REFUNDS: Decimal(1),
            Bound.REFUND_MONEY: Decimal(200),
            Bound.ORDER_CHANGES: Decimal(2),
            Bound.PUBLICATIONS: Decimal(2),
        }
    )
    breaker_failures: int = Field(default=5, gt=0)  # consecutive failures of one connector and action kind that open its breaker
    breaker_seconds: int = Field(default=300, ge=0)  # how long it stays open before one trial


def _known_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is no time zone; for example Europe/Berlin") from error
    return name


class ApprovalPolicy(Policy):
    """How long an approval waits, and when the operator is nudged. Hours of the day are in ``timezone`` (IANA)."""

    remind_after_hours: float = Field(default=4, gt=0)
    escalate_after_hours: float = Field(default=24, gt=0)
    expire_after_hours: float = Field(default=72, gt=0, le=24 * 90)
    quiet_from_hour: int = Field(default=21, ge=0, le=23)
    quiet_to_hour: int = Field(default=8, ge=0, le=23)
    timezone: Annotated[str, AfterValidator(_known_timezone)] = "Europe/Berlin"
    deciders: tuple[str, ...] = Field(default=("operator",), min_length=1)


class SupportPolicy(Policy):
    playbooks: dict[str, Playbook] = Field(default_factory=lambda: dict(DEFAULT_PLAYBOOKS))
    languages: tuple[str, ...] = ("en",)
    refund_limit: Money = Money.of(25)  # above it a human is asked, whatever the mode
    refund_window_days: int = Field(default=30, ge=0)
    late_after_days: int = Field(default=10, ge=0)  # an order counts as late this long after shipping when no date was promised
    follow_up_after_days: float = Field(default=3, ge=0)
    close_after_days: float = Field(default=7, ge=0)


class StockPolicy(Policy):
    service_level: float = Field(default=0.95, gt=0.5, lt=0.9999)
    holding_rate: float = Field(default=0.25, gt=0)  # of unit cost a year
    order_cost: Money = Money.of(5)  # per order line
    review_days: int = Field(default=1, ge=0)
    budget: Money = Money.of(5_000)  # for all orders of one run
    history_days: int = Field(default=365, gt=0)
    follow_up_late_after_days: float = Field(default=2, ge=0)
    debounce_minutes: float = Field(default=10, ge=0)


class ContentPolicy(Policy):
    pages_per_run: int = Field(default=2, ge=0)
    repeated_questions: int = Field(default=3, gt=0)  # as many tickets on one product make a topic
    measure_after_days: float = Field(default=14, ge=0)
    minimum_words: int = 180
    maximum_keyword_density: float = 0.03
    maximum_similarity: float = 0.8
    minimum_reading_ease: float = 40


class RoutingPolicy(Policy):
    """Which engine answers. Local first; a model only where the local answer is not confident and the budget allows."""

    local_confidence: float = 0.6
    small_confidence: float = 0.7
    small_model: str = "claude-haiku-5-5"
    large_model: str = "claude-opus-5-5"
    max_tokens: int = 2_000


POLICY_TYPES: dict[str, type[Policy]] = {
    "gate": GatePolicy,
    "bounds": BoundsPolicy,
    "approval": ApprovalPolicy,
    "support": SupportPolicy,
    "stock": StockPolicy,
    "content": ContentPolicy,
    "routing": RoutingPolicy,
}


class PolicyVersion(Value):
    version: int
    document: dict[str, Any]
    proposed_by: Name
    approved_by: Name
    at: Moment
    why: str = ""


class PolicyRecord(Value):
    """All versions of one policy; the last one is in force unless ``active`` names an earlier one."""

    name: Name
    active: int
    versions: tuple[PolicyVersion, ...]

    @property
    def in_force(self) -> PolicyVersion:
        return next(v for v in self.versions if v.version == self.active)


class PolicyActivated(EventData):
    """A version comes into force: a new one, or an earlier one again."""

    type = "policy.activated"
    entity = PolicyRecord
    name: Name
    version: PolicyVersion

    @property
    def stream(self) -> str:
        return f"policy/{self.name}"

    def fold(self, state: PolicyRecord | None) -> PolicyRecord:
        known = state.versions if state else ()
        kept = tuple(v for v in known if v.version != self.version.version)
        return PolicyRecord(name=self.name, active=self.version.version, versions=(*kept, self.version))
