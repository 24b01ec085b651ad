"""After an effect: does the canonical state say what the effect promised?"""

from datetime import datetime

from agents.audit.findings import hold
from domain.actions import (
    Action,
    AddNote,
    AdjustStock,
    ArchiveNote,
    CallTool,
    CancelOrder,
    CancelPurchaseOrder,
    ChangeAddress,
    PlacePurchaseOrder,
    PublishContent,
    Receipt,
    RefundOrder,
    ReinstateOrder,
    SendReply,
    UnpublishContent,
)
from domain.crm import CustomerNotes
from domain.decisions import Finding
from domain.effects import Effect
from domain.entities import ContentPiece, ContentStatus, Order, OrderStatus, PurchaseOrder, PurchaseOrderStatus, Stock, Ticket
from domain.ports import State
from domain.tools import ToolUse


async def after_findings(effect: Effect, *, state: State, now: datetime) -> tuple[Finding, ...]:
    """Findings about a committed effect; none where everything agrees."""
    if effect.receipt is None:
        return (hold("no-receipt", f"{effect.action.summary()} is {effect.status} without a receipt"),)
    problems = [] if effect.receipt.at <= now else [f"the receipt is dated {effect.receipt.at}, after now"]
    problems += await _problems(effect.action, effect.receipt, state)
    return tuple(hold("post-state-differs", f"{effect.action.summary()}: {problem}") for problem in problems)


async def _problems(action: Action, receipt: Receipt, state: State) -> list[str]:
    match action:
        case SendReply():
            return _reply(action, await state.get(Ticket, action.ticket_id))
        case RefundOrder() | CancelOrder() | ReinstateOrder() | ChangeAddress():
            return _order(action, receipt, await state.get(Order, action.order_id))
        case AdjustStock():
            stock = await state.get(Stock, action.sku)
            return [] if stock and stock.on_hand == action.units_after else ["the stock is recorded otherwise"]
        case PlacePurchaseOrder() | CancelPurchaseOrder():
            key = action.purchase_order.purchase_order_id
            return _purchase_order(action, await state.get(PurchaseOrder, key))
        case PublishContent():
            return _page(action, await state.get(ContentPiece, action.piece.slug))
        case UnpublishContent():
            piece = await state.get(ContentPiece, action.slug)
            return [] if piece and piece.status is ContentStatus.UNPUBLISHED else ["the page is still up"]
        case CallTool():
            use = await state.get(ToolUse, action.name)
            return [] if use and receipt.reference in use.recent else ["the call is not recorded"]
        case AddNote() | ArchiveNote():
            kept = await state.get(CustomerNotes, action.customer_id)
            stands = receipt.reference in {note.note_id for note in (kept.notes if kept else ())}
            return [] if stands is isinstance(action, AddNote) else ["the recorded notes differ"]


def _reply(action: SendReply, ticket: Ticket | None) -> list[str]:
    sent = [m for m in ticket.messages if m.message_id == action.message_id] if ticket else []
    if len(sent) != 1:
        return [f"the thread holds the mail {len(sent)} times"]
    return [] if sent[0].body == action.body else ["the thread holds another text"]


def _order(action: RefundOrder | CancelOrder | ReinstateOrder | ChangeAddress, receipt: Receipt, order: Order | None) -> list[str]:
    if order is None:
        return ["the order is gone"]
    match action:
        case RefundOrder():
            made = [r for r in order.refunds if r.refund_id == receipt.reference]
            over = [f"{order.refunded} of {order.total} is refunded"] if order.refundable.amount < 0 else []
            return over if len(made) == 1 and made[0].amount == action.amount else [*over, "the refund is not on the order"]
        case CancelOrder():
            return [] if order.status is OrderStatus.CANCELLED else [f"the order is {order.status}"]
        case ReinstateOrder():
            return [] if order.status is action.status else [f"the order is {order.status}"]
        case ChangeAddress():
            return [] if order.ship_to == action.address else [f"it ships to {order.ship_to}"]


def _purchase_order(action: PlacePurchaseOrder | CancelPurchaseOrder, order: PurchaseOrder | None) -> list[str]:
    if order is None:
        return ["the purchase order is not recorded"]
    if order.lines != action.purchase_order.lines:
        return ["the recorded lines differ"]
    cancelled = order.status is PurchaseOrderStatus.CANCELLED
    expected = isinstance(action, CancelPurchaseOrder)
    return [] if cancelled is expected else [f"the purchase order is {order.status}"]


def _page(action: PublishContent, piece: ContentPiece | None) -> list[str]:
    if piece is None or piece.status is not ContentStatus.PUBLISHED:
        return ["the page is not up"]
    same = (piece.title, piece.body, piece.revision) == (action.piece.title, action.piece.body, action.piece.revision)
    return [] if same else ["another revision is up"]
