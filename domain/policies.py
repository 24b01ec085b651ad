"""Policies: versioned documents that say how the business wants things done. Code reads them, never the other way round."""

import re
from decimal import Decimal
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from domain.actions import ACTION_TYPES, Action, Bound, Capability, OnExpiry, Risk
from domain.autonomy import Grant
from domain.errors import InvalidInput
from domain.event import EventData
from domain.model import Moment, Name, Value
from domain.money import Money
from domain.playbooks import DEFAULT_PLAYBOOKS, Playbook
from domain.runs import AlertLevel
from domain.titles import WRITTEN, title_template
from domain.tools import ToolTerms


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
            Bound.STOCK_CHANGES: Decimal(200),
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
            Bound.STOCK_CHANGES: Decimal(50),
            Bound.PUBLICATIONS: Decimal(12),  # a page is measured and refreshed again and again in one run
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
    on_expiry: dict[str, OnExpiry] = Field(default_factory=dict)  # by kind of action; else what its type declares

    @model_validator(mode="after")
    def _silence_is_no_yes_to_harm(self) -> Self:
        for kind, default in self.on_expiry.items():
            if kind not in ACTION_TYPES:
                raise ValueError(f"there is no action {kind}: there are {', '.join(ACTION_TYPES)}")
            if default == "approve" and (risk := ACTION_TYPES[kind].spec.risk) >= Risk.R2:
                raise ValueError(f"{kind} is of risk {risk.name} and never approved by expiry")
        return self


def _no_debt(money: Money) -> Money:
    if money.amount < 0:
        raise ValueError("an amount of money from 0 on")
    return money


class SupportPolicy(Policy):
    playbooks: dict[str, Playbook] = Field(default_factory=lambda: dict(DEFAULT_PLAYBOOKS))
    languages: tuple[str, ...] = ("en",)
    refund_limit: Annotated[Money, AfterValidator(_no_debt)] = Money.of(25)  # above it a human is asked, whatever the mode
    refund_window_days: int = Field(default=30, ge=0)
    late_after_days: int = Field(default=10, ge=0)  # an order counts as late this long after shipping when no date was promised
    follow_up_after_days: float = Field(default=3, ge=0)
    close_after_days: float = Field(default=7, ge=0)


class StockPolicy(Policy):
    """``safety_factor`` and ``lot_factor`` multiply the safety stock and the economic order quantity.

    ``memory_days`` 0: each SKU is forecast by the method that did best for it; otherwise all by one exponential memory of
    so many days, with ``pooling`` drawing a SKU's spread towards that of SKUs that sell as much. ``least_fill_rate`` is the
    share of the units asked for that the shelf should serve; learning chooses no policy that would have served less.
    """

    service_level: float = Field(default=0.95, gt=0.5, lt=0.9999)
    safety_factor: float = Field(default=1.0, gt=0, le=10)
    lot_factor: float = Field(default=1.0, gt=0, le=10)
    memory_days: float = Field(default=0.0, ge=0)
    pooling: float = Field(default=0.5, ge=0, le=1)
    least_fill_rate: float = Field(default=0.97, gt=0, lt=1)
    holding_rate: float = Field(default=0.25, gt=0)  # of unit cost a year
    order_cost: Money = Money.of(5)  # per order line
    review_days: int = Field(default=1, ge=0)
    budget: Money = Money.of(5_000)  # for all orders of one run
    history_days: int = Field(default=365, gt=0)
    follow_up_late_after_days: float = Field(default=2, ge=0)
    debounce_minutes: float = Field(default=10, ge=0)


class ContentPolicy(Policy):
    """``title_weights`` say how often a new page's title comes from each template; with none, all come from the first."""

    pages_per_run: int = Field(default=2, ge=0)
    repeated_questions: int = Field(default=3, gt=0)  # as many tickets on one product make a topic
    measure_after_days: float = Field(default=14, ge=0)
    minimum_words: int = 180
    maximum_keyword_density: float = 0.03
    maximum_similarity: float = 0.8
    minimum_reading_ease: float = 40
    title_templates: tuple[Annotated[str, AfterValidator(title_template)], ...] = Field(
        default=(
            WRITTEN,
            "{product} for {price}",
            "{product}: {material}, {dimensions}",
            "{product} from {shop}",
            "{product}: is it the right choice?",
            "{product}: see size, care and price before you order",
        ),
        min_length=1,
        max_length=20,
    )
    title_weights: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _weights_of_templates(self) -> Self:
        if unknown := self.title_weights.keys() - set(self.title_templates):
            raise ValueError(f"weights of titles that are no templates: {', '.join(sorted(unknown))}")
        return self

    @property
    def title_shares(self) -> tuple[float, ...]:
        """The share of pages that each template is for, in the templates' order."""
        weights = [self.title_weights.get(template, 0.0) for template in self.title_templates]
        total = sum(weights)
        return tuple(w / total for w in weights) if total else (1.0, *(0.0 for _ in weights[1:]))


class RoutingPolicy(Policy):
    """Which engine answers. Local first; a model only where the local answer is not confident and the budget allows."""

    local_confidence: float = 0.6
    small_confidence: float = 0.7
    small_model: str = "claude-haiku-5-5"
    large_model: str = "claude-opus-5-5"
    max_tokens: int = 2_000


class TriagePolicy(Policy):
    """Which labels the intent model has learned from: those given up to ``taught_until``. None: only what it comes with."""

    taught_until: Moment | None = None
    labels: int = 0  # how many that were, for people


def _plain(text: str) -> str:
    if not _PLAIN.fullmatch(text):
        raise ValueError("what is added to a prompt is plain text without markup, brackets or braces")
    return text


_PLAIN = re.compile(r"[^<>{}\[\]`|\\\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f]*")
_Addition = Annotated[str, Field(max_length=600), AfterValidator(_plain)]


class PromptPolicy(Policy):
    """What is added to the instructions of each task that a model gets, about wording only; nothing where it is empty.

    The bundled instructions (version 0) always stay, and so does what fences the texts of strangers: the addition comes
    before it and yields to it.
    """

    classify: _Addition = ""
    reply: _Addition = ""
    content: _Addition = ""
    summarise: _Addition = ""

    def addition(self, prompt: str) -> str:
        """What is added to the prompt of this name; nothing to one that cannot be changed."""
        return str(getattr(self, prompt, ""))


class AutonomyPolicy(Policy):
    """Classes that act without asking although their mode is ask. Granted by the operator, taken back by the first severe miss."""

    grants: dict[str, Grant] = Field(default_factory=dict)
    limit: float = Field(default=0.1, gt=0, lt=1)  # share of corrections under which a class of money or stock has earned it
    text_limit: float = Field(default=0.15, gt=0, lt=1)  # the same for texts, which do less harm
    certainty: float = Field(default=0.9, gt=0.5, lt=1)  # of the upper bound that has to be under the limit
    sample: float = Field(default=0.1, ge=0, le=1)  # of what a class does alone, the share that is asked when it has just earned it
    least_sample: float = Field(default=0.03, ge=0, le=1)  # however good the record has become since
    most_severe: Risk = Risk.R2  # nothing riskier is ever granted
    refused: tuple[str, ...] = ()  # classes the operator does not want to be proposed again


class RetentionPolicy(Policy):
    """What the nightly upkeep of memory keeps in the database, sums up and checks."""

    keep_months: int = Field(default=13, ge=1)  # full months of events in the database besides the current one
    keep_attached_days: float = Field(default=7, ge=0)  # an archived month that was put back stays so long
    keep_papers_days: float = Field(default=90, ge=1)  # sent mails' bytes, models' answers, context packs: for work at hand
    summarise_after_days: float = Field(default=30, ge=0)  # since the matter was closed
    summaries_per_night: int = Field(default=200, ge=0)
    verify_whole_after_days: float = Field(default=7, ge=0)
    check_recall_after_days: float = Field(default=7, ge=0)
    recall_sample: int = Field(default=30, ge=0)  # passages that must find themselves
    recall_floor: float = Field(default=0.9, ge=0, le=1)
    keep_raw_days: float = Field(default=180, ge=1)  # what came in, byte for byte, since it was understood


class AttentionPolicy(Policy):
    """When the operator is interrupted; what is not worth it waits for the digest. Quiet hours are those of approvals.

    What waits is weighed in money: what an action moves, and ``hour_of_work`` for the time it costs to make good what
    nobody looked at. Weighed by urgency and by the chance that the operator acts, it has to reach ``least_value``.
    """

    interrupts_per_day: int = Field(default=3, ge=0)
    least_value: Money = Money.of(5)
    hour_of_work: Money = Money.of(30)
    always: AlertLevel = AlertLevel.URGENT  # so severe, or worse, comes through whatever the number and the value
    gather_minutes: float = Field(default=1, ge=0)  # what comes within it is told together


class ToolsPolicy(Policy):
    """The tools of connected MCP servers that may be called, by ``connection/tool``. No other one is an action."""

    tools: dict[str, ToolTerms] = Field(default_factory=dict)


POLICY_TYPES: dict[str, type[Policy]] = {
    "gate": GatePolicy,
    "bounds": BoundsPolicy,
    "approval": ApprovalPolicy,
    "support": SupportPolicy,
    "stock": StockPolicy,
    "content": ContentPolicy,
    "routing": RoutingPolicy,
    "retention": RetentionPolicy,
    "triage": TriagePolicy,
    "prompts": PromptPolicy,
    "autonomy": AutonomyPolicy,
    "attention": AttentionPolicy,
    "tools": ToolsPolicy,
}


POLICY_RISKS: dict[str, Risk] = {
    "gate": Risk.R3,
    "bounds": Risk.R3,
    "approval": Risk.R3,
    "autonomy": Risk.R3,
    "tools": Risk.R3,
    "stock": Risk.R2,
    "support": Risk.R1,
    "content": Risk.R1,
    "routing": Risk.R1,
    "triage": Risk.R1,
    "prompts": Risk.R1,
    "attention": Risk.R1,
}
"""How much a bad version of each policy can hurt; one that is not named is as dangerous as can be."""

OPERATOR = "operator"


_RULES_OF = {
    Capability.HELPDESK: "support",
    Capability.SHOP: "support",
    Capability.PAYMENTS: "support",
    Capability.SUPPLIERS: "stock",
    Capability.SITE: "content",
    Capability.TOOLS: "tools",
    Capability.CRM: "support",
}


def binding(action: Action) -> frozenset[str]:
    """The policies an action is judged by: what is shown under them is stale when they move."""
    return frozenset({"gate", "bounds", "approval", _RULES_OF[action.spec.capability]})


class PolicyVersion(Value):
    """One version of a document. ``approved_by`` is empty while it is only proposed."""

    version: int
    document: dict[str, Any]
    proposed_by: Name
    approved_by: str = ""
    at: Moment
    why: str = ""
    parent: int = 0
    risk: Risk = Risk.R1


class Trial(Value):
    """An experiment on a policy: it is ``running``, or ended. After a ``hard`` end runs in flight leave their version."""

    experiment_id: Name
    running: bool = True
    hard: bool = False
    ended_at: Moment | None = None


_TRIALS_KEPT = 4  # the latest; runs live for days, and a trial takes days


class PolicyRecord(Value):
    """All versions of one policy. ``active`` is in force; 0 is the built-in default. A ``pinned`` one takes no proposals."""

    name: Name
    active: int = 0
    versions: tuple[PolicyVersion, ...] = ()
    dropped: dict[int, str] = Field(default_factory=dict)  # versions that were tried or refused, and why
    trials: tuple[Trial, ...] = ()
    pinned: bool = False

    @property
    def in_force(self) -> PolicyVersion | None:
        """None where the built-in default is in force."""
        return self.version(self.active)

    @property
    def trial(self) -> str:
        """The experiment that is running on it, or nothing."""
        return next((t.experiment_id for t in self.trials if t.running), "")

    @property
    def next_version(self) -> int:
        return max((v.version for v in self.versions), default=0) + 1

    def version(self, number: int) -> PolicyVersion | None:
        return next((v for v in self.versions if v.version == number), None)

    @property
    def proposed(self) -> tuple[PolicyVersion, ...]:
        """Versions that nobody has approved or dropped yet."""
        return tuple(v for v in self.versions if not v.approved_by and v.version not in self.dropped)


class _PolicyEvent(EventData):
    entity = PolicyRecord
    name: Name

    @property
    def stream(self) -> str:
        return f"policy/{self.name}"

    def fold(self, state: PolicyRecord | None) -> PolicyRecord:
        record = state or PolicyRecord(name=self.name)
        return record.model_copy(update=self.change(record))

    def change(self, record: PolicyRecord) -> dict[str, Any]:
        return {}


def _with(record: PolicyRecord, version: PolicyVersion) -> tuple[PolicyVersion, ...]:
    return (*(v for v in record.versions if v.version != version.version), version)


class PolicyActivated(_PolicyEvent):
    """A version comes into force: a new one, or an earlier one again. What others propose, they cannot approve themselves."""

    type = "policy.activated"
    version: PolicyVersion

    @model_validator(mode="after")
    def _another_approves(self) -> "PolicyActivated":
        version = self.version
        if not version.approved_by:
            raise ValueError("a version comes into force only when somebody approves it")
        if version.proposed_by == version.approved_by != OPERATOR:
            raise ValueError(f"{version.proposed_by} proposed version {version.version} of {self.name} and cannot approve it")
        return self

    def change(self, record: PolicyRecord) -> dict[str, Any]:
        dropped = {number: why for number, why in record.dropped.items() if number != self.version.version}
        return {"active": self.version.version, "versions": _with(record, self.version), "dropped": dropped}


class PolicyProposed(_PolicyEvent):
    """A version that is in force for nobody yet."""

    type = "policy.proposed"
    version: PolicyVersion

    def change(self, record: PolicyRecord) -> dict[str, Any]:
        if record.pinned:
            raise InvalidInput(f"the policy {self.name} is pinned", hint=f"`./steward policies pin {self.name} --off`")
        return {"versions": _with(record, self.version.model_copy(update={"approved_by": ""}))}


class PolicyDropped(_PolicyEvent):
    """A proposed version is out: it lost, lapsed, or the operator does not want it."""

    type = "policy.dropped"
    number: int
    why: str
    by: Name

    def change(self, record: PolicyRecord) -> dict[str, Any]:
        return {"dropped": {**record.dropped, self.number: self.why}}


class PolicyTrialStarted(_PolicyEvent):
    type = "policy.trial-started"
    experiment_id: Name

    def change(self, record: PolicyRecord) -> dict[str, Any]:
        if record.trial:
            raise InvalidInput(f"{record.trial} is running on the policy {self.name}", hint="one experiment a policy at a time")
        return {"trials": (*record.trials, Trial(experiment_id=self.experiment_id))[-_TRIALS_KEPT:]}


class PolicyTrialEnded(_PolicyEvent):
    type = "policy.trial-ended"
    experiment_id: Name
    hard: bool = False
    at: Moment

    def change(self, record: PolicyRecord) -> dict[str, Any]:
        over = Trial(experiment_id=self.experiment_id, running=False, hard=self.hard, ended_at=self.at)
        return {"trials": tuple(over if t.experiment_id == self.experiment_id else t for t in record.trials)}


class PolicyPinned(_PolicyEvent):
    type = "policy.pinned"
    on: bool
    by: Name

    def change(self, record: PolicyRecord) -> dict[str, Any]:
        return {"pinned": self.on}
