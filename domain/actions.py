"""Actions: everything Steward can do to the outside world, as one closed union.

An action's type declares how dangerous it is (``ActionSpec``), what it counts against (``charges``), how it is
undone (``inverse``) and what it leaves in the log (``events``). Nothing about an action is decided elsewhere.
"""

from abc import abstractmethod
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from domain import events as happened
from domain.entities import Address, ContentPiece, OrderStatus, PurchaseOrder, Refund
from domain.event import EventData
from domain.ids import digest
from domain.model import Moment, Name, Text, Value
from domain.money import Money


class Risk(IntEnum):
    """R0 internal, R1 text a customer sees, R2 money or stock, R3 legal or irreversible harm."""

    R0 = 0
    R1 = 1
    R2 = 2
    R3 = 3


class Reversibility(StrEnum):
    REVERSIBLE = "reversible"  # the inverse restores the outside state exactly
    COMPENSABLE = "compensable"  # the inverse makes good, but a trace stays
    IRREVERSIBLE = "irreversible"  # gated before, because nothing helps after


class Capability(StrEnum):
    HELPDESK = "helpdesk"
    SHOP = "shop"
    PAYMENTS = "payments"
    SUPPLIERS = "suppliers"
    SITE = "site"


class Bound(StrEnum):
    """What is limited per day and per run; the limits themselves are policy (``BoundsPolicy``)."""

    REPLIES = "replies"
    REFUNDS = "refunds"
    REFUND_MONEY = "refund-money"
    ORDER_CHANGES = "order-changes"
    PURCHASE_MONEY = "purchase-money"
    PUBLICATIONS = "publications"
    MODEL_MONEY = "model-money"


OnExpiry = Literal["reject", "approve"]
"""What becomes of an action that was asked and not decided in time."""


class ActionSpec(Value):
    """What the type of an action declares once and for all."""

    risk: Risk
    reversibility: Reversibility
    capability: Capability
    outcomes: tuple[str, ...] = ()  # the metrics this kind of action can be judged by
    on_expiry: OnExpiry = "reject"

    @model_validator(mode="after")
    def _silence_is_no_yes_to_harm(self) -> Self:
        if self.on_expiry == "approve" and self.risk >= Risk.R2:
            raise ValueError(f"an action of risk {self.risk.name} is never approved by expiry")
        return self


class Receipt(Value):
    """What the outside system answered. ``reference`` is its own id for what it did."""

    reference: str
    at: Moment
    detail: dict[str, Any] = Field(default_factory=dict)
    rehearsed_by: str = ""  # the connection that only showed what it would do: nothing happened outside


class BaseAction(Value):
    spec: ClassVar[ActionSpec]
    kind: str

    @property
    @abstractmethod
    def stream(self) -> str:
        """The canonical stream the effect is recorded on, ``<entity kind>/<id>``."""

    @abstractmethod
    def events(self, receipt: Receipt) -> tuple[EventData, ...]:
        """The canonical facts the effect created; the first one carries the before and after of the effect."""

    @abstractmethod
    def summary(self) -> str:
        """One line for people."""

    def charges(self) -> dict[Bound, Decimal]:
        """What this action uses of each bound."""
        return {}

    def money(self) -> Money | None:
        """The money at stake, if any."""
        return None

    def inverse(self, before: dict[str, Any]) -> "Action | None":
        """What undoes this action, given the outside record before it; None where nothing does."""
        return None

    def digest(self) -> str:
        return digest(self)


class SendReply(BaseAction):
    """A mail to a ticket's customer. With an empty body it is a request to the operator to write one."""

    spec = ActionSpec(
        risk=Risk.R1,
        reversibility=Reversibility.IRREVERSIBLE,
        capability=Capability.HELPDESK,
        outcomes=("first-response-minutes", "reopened", "corrected"),
    )
    kind: Literal["send-reply"] = "send-reply"
    ticket_id: Name
    message_id: Name
    to: Name
    sender: str
    subject: str
    body: Text
    in_reply_to: str = ""
    facts: dict[str, str] = Field(default_factory=dict)

    @property
    def stream(self) -> str:
        return f"ticket/{self.ticket_id}"

    def charges(self) -> dict[Bound, Decimal]:
        return {Bound.REPLIES: Decimal(1)}

    def events(self, receipt: Receipt) -> tuple[EventData, ...]:
        message = happened.outbound(self.message_id, self.sender, receipt.at, self.body, self.in_reply_to)
        return (happened.ReplySent(ticket_id=self.ticket_id, message=message),)

    def summary(self) -> str:
        return f"reply to {self.to}: {self.subject}" if self.body else f"write a reply to {self.to}: {self.subject}"


class RefundOrder(BaseAction):
    """Money back. ``payment_reference`` is what the payment system calls the order's payment, where one took it."""

    spec = ActionSpec(
        risk=Risk.R2,
        reversibility=Reversibility.IRREVERSIBLE,
        capability=Capability.PAYMENTS,
        outcomes=("refund-wrong", "corrected"),
    )
    kind: Literal["refund-order"] = "refund-order"
    order_id: Name
    amount: Money
    reason: str
    payment_reference: str = Field(default="", max_length=200, exclude_if=lambda reference: not reference)

    @property
    def stream(self) -> str:
        return f"order/{self.order_id}"

    def charges(self) -> dict[Bound, Decimal]:
        return {Bound.REFUNDS: Decimal(1), Bound.REFUND_MONEY: self.amount.amount}

    def money(self) -> Money:
        return self.amount

    def events(self, receipt: Receipt) -> tuple[EventData, ...]:
        refund = Refund(refund_id=receipt.reference, amount=self.amount, reason=self.reason, at=receipt.at)
        return (happened.OrderRefunded(order_id=self.order_id, refund=refund),)

    def summary(self) -> str:
        return f"refund {self.amount} on order {self.order_id} ({self.reason})"


class CancelOrder(BaseAction):
    spec = ActionSpec(risk=Risk.R2, reversibility=Reversibility.REVERSIBLE, capability=Capability.SHOP, outcomes=("corrected",))
    kind: Literal["cancel-order"] = "cancel-order"
    order_id: Name
    reason: str

    @property
    def stream(self) -> str:
        return f"order/{self.order_id}"

    def charges(self) -> dict[Bound, Decimal]:
        return {Bound.ORDER_CHANGES: Decimal(1)}

    def events(self, receipt: Receipt) -> tuple[EventData, ...]:
        return (happened.OrderCancelled(order_id=self.order_id, reason=self.reason),)

    def inverse(self, before: dict[str, Any]) -> "Action":
        return ReinstateOrder(order_id=self.order_id, status=OrderStatus(before["status"]))

    def summary(self) -> str:
        return f"cancel order {self.order_id} ({self.reason})"


class ReinstateOrder(BaseAction):
    """The inverse of a cancellation."""

    spec = ActionSpec(risk=Risk.R2, reversibility=Reversibility.COMPENSABLE, capability=Capability.SHOP)
    kind: Literal["reinstate-order"] = "reinstate-order"
    order_id: Name
    status: OrderStatus

    @property
    def stream(self) -> str:
        return f"order/{self.order_id}"

    def events(self, receipt: Receipt) -> tuple[EventData, ...]:
        return (happened.OrderReinstated(order_id=self.order_id, status=self.status),)

    def summary(self) -> str:
        return f"reinstate order {self.order_id} as {self.status}"


class ChangeAddress(BaseAction):
    spec = ActionSpec(risk=Risk.R2, reversibility=Reversibility.REVERSIBLE, capability=Capability.SHOP, outcomes=("corrected",))
    kind: Literal["change-address"] = "change-address"
    order_id: Name
    address: Address

    @property
    def stream(self) -> str:
        return f"order/{self.order_id}"

    def charges(self) -> dict[Bound, Decimal]:
        return {Bound.ORDER_CHANGES: Decimal(1)}

    def events(self, receipt: Receipt) -> tuple[EventData, ...]:
        return (happened.AddressChanged(order_id=self.order_id, address=self.address),)

    def inverse(self, before: dict[str, Any]) -> "Action":
        return ChangeAddress(order_id=self.order_id, address=Address.model_validate(before["ship_to"]))

    def summary(self) -> str:
        return f"ship order {self.order_id} to {self.address}"


class PlacePurchaseOrder(BaseAction):
    spec = ActionSpec(
        risk=Risk.R2,
        reversibility=Reversibility.COMPENSABLE,
        capability=Capability.SUPPLIERS,
        outcomes=("fill-rate", "stock-out-days", "supplier-lateness", "corrected"),
    )
    kind: Literal["place-purchase-order"] = "place-purchase-order"
    purchase_order: PurchaseOrder
    to: Name
    sender: Name
    planned_at_seq: int | None = None  # the last event the plan can have seen; None where nobody planned it

    @property
    def stream(self) -> str:
        return f"purchase-order/{self.purchase_order.purchase_order_id}"

    def charges(self) -> dict[Bound, Decimal]:
        return {Bound.PURCHASE_MONEY: self.purchase_order.total.amount}

    def money(self) -> Money:
        return self.purchase_order.total

    def events(self, receipt: Receipt) -> tuple[EventData, ...]:
        order = self.purchase_order
        lines = (
            happened.StockOrdered(sku=line.sku, units=line.units, purchase_order_id=order.purchase_order_id) for line in order.lines
        )
        return (happened.PurchaseOrderSent(purchase_order=order), *lines)

    def inverse(self, before: dict[str, Any]) -> "Action":
        return CancelPurchaseOrder(purchase_order=self.purchase_order, to=self.to, sender=self.sender, reason="reverted")

    def summary(self) -> str:
        order = self.purchase_order
        units = sum(line.units for line in order.lines)
        return f"order {units} units on {len(order.lines)} lines from {order.supplier_id}, {order.total}"


class CancelPurchaseOrder(BaseAction):
    """The inverse of an order: a cancellation mail. The supplier has seen both."""

    spec = ActionSpec(risk=Risk.R2, reversibility=Reversibility.IRREVERSIBLE, capability=Capability.SUPPLIERS)
    kind: Literal["cancel-purchase-order"] = "cancel-purchase-order"
    purchase_order: PurchaseOrder
    to: Name
    sender: Name
    reason: str

    @property
    def stream(self) -> str:
        return f"purchase-order/{self.purchase_order.purchase_order_id}"

    def events(self, receipt: Receipt) -> tuple[EventData, ...]:
        order = self.purchase_order
        lines = (
            happened.StockOrdered(sku=line.sku, units=-line.units, purchase_order_id=order.purchase_order_id)
            for line in order.lines
        )
        return (happened.PurchaseOrderCancelled(purchase_order_id=order.purchase_order_id, reason=self.reason), *lines)

    def summary(self) -> str:
        return f"cancel purchase order {self.purchase_order.purchase_order_id} at {self.purchase_order.supplier_id}"


class PublishContent(BaseAction):
    spec = ActionSpec(
        risk=Risk.R1,
        reversibility=Reversibility.REVERSIBLE,
        capability=Capability.SITE,
        outcomes=("ctr", "seconds-on-page", "corrected"),
    )
    kind: Literal["publish-content"] = "publish-content"
    piece: ContentPiece

    @property
    def stream(self) -> str:
        return f"content/{self.piece.slug}"

    def charges(self) -> dict[Bound, Decimal]:
        return {Bound.PUBLICATIONS: Decimal(1)}

    def events(self, receipt: Receipt) -> tuple[EventData, ...]:
        return (happened.ContentPublished(piece=self.piece.model_copy(update={"published_at": receipt.at})),)

    def inverse(self, before: dict[str, Any]) -> "Action":
        """Republishing what was there, or taking the page down where there was none."""
        previous = before.get("piece")
        if previous is None:
            return UnpublishContent(slug=self.piece.slug, reason="reverted")
        return PublishContent(piece=ContentPiece.model_validate(previous))

    def summary(self) -> str:
        return f"publish {self.piece.slug!r} (revision {self.piece.revision}): {self.piece.title}"


class UnpublishContent(BaseAction):
    spec = ActionSpec(risk=Risk.R1, reversibility=Reversibility.REVERSIBLE, capability=Capability.SITE)
    kind: Literal["unpublish-content"] = "unpublish-content"
    slug: Name
    reason: str = ""

    @property
    def stream(self) -> str:
        return f"content/{self.slug}"

    def events(self, receipt: Receipt) -> tuple[EventData, ...]:
        return (happened.ContentUnpublished(slug=self.slug, reason=self.reason),)

    def inverse(self, before: dict[str, Any]) -> "Action | None":
        previous = before.get("piece")
        return PublishContent(piece=ContentPiece.model_validate(previous)) if previous else None

    def summary(self) -> str:
        return f"take down {self.slug!r} ({self.reason})"


Action = Annotated[
    SendReply
    | RefundOrder
    | CancelOrder
    | ReinstateOrder
    | ChangeAddress
    | PlacePurchaseOrder
    | CancelPurchaseOrder
    | PublishContent
    | UnpublishContent,
    Field(discriminator="kind"),
]

ACTION: TypeAdapter[Action] = TypeAdapter(Action)
ACTION_TYPES: dict[str, type[BaseAction]] = {
    t.model_fields["kind"].default: t
    for t in (
        SendReply,
        RefundOrder,
        CancelOrder,
        ReinstateOrder,
        ChangeAddress,
        PlacePurchaseOrder,
        CancelPurchaseOrder,
        PublishContent,
        UnpublishContent,
    )
}
