"""A case with what the shop knew around it: what the rules of root causes look at."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from agents.skills.stock_arrays import lead_time
from agents.skills.triage import match_product
from domain.actions import Action, PlacePurchaseOrder, SendReply
from domain.approvals import Approval, ApprovalStatus
from domain.entities import Product, PurchaseOrder
from domain.failures import RootCause
from learning.observed import Case, Kind, Observed, by_person, situation_of

LEAST_DELIVERIES = 3
LEAST_DAYS_APART = 1.0


@dataclass(frozen=True)
class Cause:
    """``ref`` names what it is about: a fact (``product/SKU#care``), a part of a policy, a supplier."""

    cause: RootCause
    mode: str
    ref: str = ""


@dataclass(frozen=True)
class Seen:
    case: Case
    observed: Observed

    @property
    def action(self) -> Action | None:
        """What was proposed."""
        return self.case.approval.proposal.action if self.case.approval else None

    @property
    def edited(self) -> Action | None:
        """What the operator made of it."""
        decision = self.case.approval.decision if self.case.approval else None
        return decision.action if decision and self.case.kind is Kind.EDITED else None

    @property
    def letters(self) -> tuple[SendReply, SendReply] | None:
        """The reply as it was proposed and as the operator sent it."""
        before, after = self.action, self.edited
        return (before, after) if isinstance(before, SendReply) and isinstance(after, SendReply) else None

    @property
    def topic(self) -> str:
        return self.case.topic or "any"

    @property
    def situation(self) -> str:
        return situation_of(self.case.approval) if self.case.approval else ""

    @property
    def approvals(self) -> tuple[Approval, ...]:
        """All of the run's."""
        return self.observed.approvals_by_run.get(self.case.run_id, ())

    @property
    def approved_as_shown(self) -> tuple[Approval, ...]:
        return tuple(a for a in self.approvals if a.status is ApprovalStatus.APPROVED and by_person(a))

    @property
    def customers_text(self) -> str:
        ticket = self.case.ticket
        message = ticket.last_inbound if ticket else None
        return f"{ticket.subject}\n{message.body}" if ticket and message else ""

    @cached_property
    def product(self) -> Product | None:
        """The product that the facts of the decision speak of, else, where the case needs one, the one the customer names."""
        facts = self.case.approval.proposal.why.facts if self.case.approval else {}
        skus = {ref.partition("#")[0].removeprefix("product/") for ref in facts if ref.startswith("product/")}
        stated = next((p for p in self.observed.products if p.sku in skus), None)
        playbook = self.observed.support.playbooks.get(self.case.guess)
        if stated or playbook is None or "product" not in playbook.needs:
            return stated
        return match_product(self.customers_text, self.observed.products)

    @cached_property
    def supplier_id(self) -> str:
        """Whose order it is about; empty where that is not known."""
        if isinstance(self.action, PlacePurchaseOrder):
            return self.action.purchase_order.supplier_id
        late = (o.supplier_id for o in self.observed.purchase_orders if self.case.metric == "supplier-lateness" and self._late(o))
        known = {s.supplier_id for s in self.observed.suppliers}
        named = (self.case.topic, self.case.run_id.removeprefix("replenish/"))
        return next(late, "") or next((name for name in named if name in known), "")

    @property
    def subject(self) -> str:
        """What a missing fact belongs to: the product of the case, or orders in general; one order is soon over."""
        return f"product/{self.product.sku}" if self.product else "order"

    def lead_time_differs(self) -> bool:
        """Whether enough deliveries say that the supplier takes another time than is stated."""
        supplier = next((s for s in self.observed.suppliers if s.supplier_id == self.supplier_id), None)
        orders = [o for o in self.observed.purchase_orders if o.supplier_id == self.supplier_id and o.received_at is not None]
        if supplier is None or len(orders) < LEAST_DELIVERIES:
            return False
        return abs(lead_time(supplier, orders).days - supplier.lead_time_days) > LEAST_DAYS_APART

    def _late(self, order: PurchaseOrder) -> bool:
        """Whether it is the order whose delivery was measured: the lateness is its very number."""
        if order.received_at is None:
            return False
        return abs((order.received_at - order.expected_at) / timedelta(days=1) - self.case.value) < 1e-6


Rule = Callable[[Seen], Cause | None]


def generally(ref: str) -> str:
    """``ref``, for an order's fact without the order: ``order#tracking``, so that equal gaps of many orders meet."""
    return f"order#{ref.partition('#')[2]}" if ref.startswith("order/") else ref


def playbook_ref(intent: str, situation: str = "") -> str:
    """``policy/support#playbooks.late.situations.shipped``."""
    base = f"policy/support#playbooks.{intent}" if intent and intent != "any" else "policy/support#playbooks"
    return f"{base}.situations.{situation}" if situation else base
