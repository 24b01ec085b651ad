"""Actions: everything Steward can do to the outside world, as one closed union.

An action's type declares how dangerous it is (``ActionSpec``), what it counts against (``charges``), how it is
undone (``inverse``) and what it leaves in the log (``events``). Nothing about an action is decided elsewhere.
"""

from abc import abstractmethod
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, JsonValue, TypeAdapter, field_validator, model_validator

from domain import events as happened
from domain.crm import CustomerNote, CustomerNoteAdded, CustomerNoteArchived, notes_stream
from domain.entities import Address, ContentPiece, OrderStatus, PurchaseOrder, Refund, Units
from domain.event import EventData
from domain.ids import canonical_json, digest
from domain.model import Moment, Name, Text, Value
from domain.money import Money
from domain.risk import Reversibility as Reversibility  # noqa: PLC0414 - part of what an action is, so it is found here too
from domain.risk import Risk as Risk  # noqa: PLC0414 - as above
from domain.tools import ToolAnswer, ToolCalled, ToolName, ToolTerms
from domain.wording import counted


class Capability(StrEnum):
    HELPDESK = "helpdesk"
    SHOP = "shop"
    PAYMENTS = "payments"
    SUPPLIERS = "suppliers"
    SITE = "site"
    TOOLS = "tools"
    CRM = "crm"


class Bound(StrEnum):
    """What is limited per day and per run; the limits themselves are policy (``BoundsPolicy``)."""

    REPLIES = "replies"
    REFUNDS = "refunds"
    REFUND_MONEY = "refund-money"
    ORDER_CHANGES = "order-changes"
    STOCK_CHANGES = "stock-changes"
    PURCHASE_MONEY = "purchase-money"
    PUBLICATIONS = "publications"
    MODEL_MONEY = "model-money"


_LARGEST_CALL = 100_000  # characters of JSON
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
    """``risk`` and ``reversibility`` are what its type declares, unless they are different for each one of its kind."""

    spec: ClassVar[ActionSpec]
    kind: str

    @property
    def risk(self) -> Risk:
        return self.spec.risk

    @property
    def reversibility(self) -> Reversibility:
        return self.spec.reversibility

    @property
    def through(self) -> str:
        """The connection it names itself; empty where it goes through the one that serves its capability."""
        return ""

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

    def inverse(self, before: dict[str, Any], receipt: Receipt | None = None) -> "Action | None":
        """What undoes this action, given the outside record before it and what it answered; None where nothing does."""
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

    @property
    def unwritten(self) -> bool:
        """Whether the operator has to write it: it cannot be approved as it is."""
        return not self.body.strip()

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

    def inverse(self, before: dict[str, Any], receipt: Receipt | None = None) -> "Action":
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

    def inverse(self, before: dict[str, Any], receipt: Receipt | None = None) -> "Action":
        return ChangeAddress(order_id=self.order_id, address=Address.model_validate(before["ship_to"]))

    def summary(self) -> str:
        return f"ship order {self.order_id} to {self.address}"


class AdjustStock(BaseAction):
    """What the shop says is there of a SKU, set from one number of units to another: a delivery came in, or somebody counted.

    A compare-and-set: where the shop does not say ``units_before`` any more, the action has to be planned again.
    ``purchase_order_id`` names the order with which the units came, where they did.
    """

    spec = ActionSpec(risk=Risk.R2, reversibility=Reversibility.REVERSIBLE, capability=Capability.SHOP, outcomes=("corrected",))
    kind: Literal["adjust-stock"] = "adjust-stock"
    sku: Name
    units_before: Units
    units_after: Units
    reason: str
    purchase_order_id: str = Field(default="", max_length=200, exclude_if=lambda order: not order)

    @property
    def stream(self) -> str:
        return f"stock/{self.sku}"

    def charges(self) -> dict[Bound, Decimal]:
        return {Bound.STOCK_CHANGES: Decimal(1)}

    def events(self, receipt: Receipt) -> tuple[EventData, ...]:
        return (happened.StockCounted(sku=self.sku, on_hand=self.units_after, lists=self.purchase_order_id),)

    def inverse(self, before: dict[str, Any], receipt: Receipt | None = None) -> "Action":
        """A late no: as after an early one, nothing waits to be told, and the shop's figure is all that counts."""
        return AdjustStock(sku=self.sku, units_before=self.units_after, units_after=self.units_before, reason="reverted")

    def summary(self) -> str:
        return f"set the shop's stock of {self.sku} from {self.units_before} to {self.units_after} ({self.reason})"


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

    def inverse(self, before: dict[str, Any], receipt: Receipt | None = None) -> "Action":
        return CancelPurchaseOrder(purchase_order=self.purchase_order, to=self.to, sender=self.sender, reason="reverted")

    def summary(self) -> str:
        order = self.purchase_order
        units = sum(line.units for line in order.lines)
        return f"order {counted(units, 'unit')} on {counted(len(order.lines), 'line')} from {order.supplier_id}, {order.total}"


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

    def inverse(self, before: dict[str, Any], receipt: Receipt | None = None) -> "Action":
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

    def inverse(self, before: dict[str, Any], receipt: Receipt | None = None) -> "Action | None":
        previous = before.get("piece")
        return PublishContent(piece=ContentPiece.model_validate(previous)) if previous else None

    def summary(self) -> str:
        return f"take down {self.slug!r} ({self.reason})"


class CallTool(BaseAction):
    """A tool of a connected MCP server. ``terms`` are the operator's, filled in by Steward whatever the proposer says.

    Without terms nobody has mapped the tool: it counts as the worst there is, and is not called.
    """

    spec = ActionSpec(risk=Risk.R3, reversibility=Reversibility.IRREVERSIBLE, capability=Capability.TOOLS)
    kind: Literal["call-tool"] = "call-tool"
    connection: Name
    tool: ToolName
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    terms: ToolTerms | None = None

    @field_validator("arguments")
    @classmethod
    def _plain_and_not_too_large(cls, arguments: dict[str, JsonValue]) -> dict[str, JsonValue]:
        given = canonical_json(arguments)
        if len(given) > _LARGEST_CALL:
            raise ValueError(f"the arguments are longer than {_LARGEST_CALL:,} characters")
        if "\\u0000" in given or any("\ud800" <= c <= "\udfff" for c in given):
            raise ValueError("the arguments have characters that no text has")
        return arguments

    @property
    def risk(self) -> Risk:
        return self.terms.risk if self.terms else self.spec.risk

    @property
    def reversibility(self) -> Reversibility:
        return self.terms.reversibility if self.terms else self.spec.reversibility

    @property
    def through(self) -> str:
        return self.connection

    @property
    def stream(self) -> str:
        return f"tool/{self.name}"

    @property
    def name(self) -> str:
        """As the policy of tools names it."""
        return f"{self.connection}/{self.tool}"

    def on(self, terms: ToolTerms | None) -> "CallTool":
        """The same call on these terms."""
        return self.model_copy(update={"terms": terms})

    def events(self, receipt: Receipt) -> tuple[EventData, ...]:
        called = {"connection": self.connection, "tool": self.tool, "arguments": self.arguments, "at": receipt.at}
        return (ToolCalled(**called, reference=receipt.reference, answer=ToolAnswer.of(receipt.detail)),)

    def inverse(self, before: dict[str, Any], receipt: Receipt | None = None) -> "Action | None":
        """The tool that the operator named for it, where the call and its answer say all that it needs."""
        undo = self.terms.inverse if self.terms else None
        if self.terms is None or undo is None or receipt is None:
            return None
        arguments = undo.filled(self.arguments, ToolAnswer.of(receipt.detail).result)
        if arguments is None:
            return None
        terms = ToolTerms(digest=undo.digest, risk=self.terms.risk, words=f"take back {self.tool}")
        return CallTool(connection=self.connection, tool=undo.tool, arguments=arguments, terms=terms)

    def summary(self) -> str:
        given = canonical_json(self.arguments)
        words = self.terms.words if self.terms else ""
        return f"{words or 'call a tool'}: {self.name} {given if len(given) <= 120 else given[:119] + '…'}"


class AddNote(BaseAction):
    """A note on a customer, in the customer database. Only the operator and their people see it."""

    spec = ActionSpec(risk=Risk.R0, reversibility=Reversibility.COMPENSABLE, capability=Capability.CRM)
    kind: Literal["add-note"] = "add-note"
    customer_id: Name
    email: Name
    text: str = Field(min_length=1, max_length=20_000)

    @property
    def stream(self) -> str:
        return notes_stream(self.customer_id)

    def events(self, receipt: Receipt) -> tuple[EventData, ...]:
        note = CustomerNote(note_id=receipt.reference, text=self.text, at=receipt.at)
        return (CustomerNoteAdded(customer_id=self.customer_id, note=note),)

    def inverse(self, before: dict[str, Any], receipt: Receipt | None = None) -> "Action | None":
        return ArchiveNote(customer_id=self.customer_id, note_id=receipt.reference) if receipt else None

    def summary(self) -> str:
        return f"note on {self.email}: {self.text if len(self.text) <= 120 else self.text[:119] + '…'}"


class ArchiveNote(BaseAction):
    """The inverse of a note: it is out of sight, and the archive keeps it."""

    spec = ActionSpec(risk=Risk.R0, reversibility=Reversibility.IRREVERSIBLE, capability=Capability.CRM)
    kind: Literal["archive-note"] = "archive-note"
    customer_id: Name
    note_id: Name

    @property
    def stream(self) -> str:
        return notes_stream(self.customer_id)

    def events(self, receipt: Receipt) -> tuple[EventData, ...]:
        return (CustomerNoteArchived(customer_id=self.customer_id, note_id=self.note_id),)

    def summary(self) -> str:
        return f"archive note {self.note_id} on {self.customer_id}"


Action = Annotated[
    SendReply
    | RefundOrder
    | CancelOrder
    | ReinstateOrder
    | ChangeAddress
    | AdjustStock
    | PlacePurchaseOrder
    | CancelPurchaseOrder
    | PublishContent
    | UnpublishContent
    | CallTool
    | AddNote
    | ArchiveNote,
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
        AdjustStock,
        PlacePurchaseOrder,
        CancelPurchaseOrder,
        PublishContent,
        UnpublishContent,
        CallTool,
        AddNote,
        ArchiveNote,
    )
}
