"""Invariants of what support does: replies, refunds, cancellations, changes of address."""

from collections.abc import AsyncIterator

from agents.audit.figures import unsupported
from agents.audit.findings import block, hold
from agents.audit.injection import signs
from agents.audit.reply_text import text_findings
from agents.skills.grounding import FactReader
from agents.skills.message_text import address_of
from domain.actions import CancelOrder, ChangeAddress, RefundOrder, ReinstateOrder, SendReply
from domain.decisions import Finding, Why
from domain.entities import Customer, Direction, Order, OrderStatus, Shop, Ticket
from domain.money import Money
from domain.policies import SupportPolicy
from domain.ports import Policies, State

OrderAction = RefundOrder | CancelOrder | ReinstateOrder | ChangeAddress


class SupportAudit:
    """Reads the canonical state for itself; trusts neither the plan nor the text it was made from."""

    def __init__(self, *, state: State, policies: Policies) -> None:
        self._state = state
        self._policies = policies

    async def reply(self, action: SendReply) -> AsyncIterator[Finding]:
        ticket = await self._state.get(Ticket, action.ticket_id)
        if ticket is None:
            yield block("ticket-unknown", f"there is no ticket {action.ticket_id}")
            return
        for finding in (*_headers(action), *_recipient(action, ticket), *suspicion(ticket)):
            yield finding
        async for finding in self._facts(action, ticket):
            yield finding
        async for finding in self._text(action, ticket):
            yield finding

    async def order_change(self, action: OrderAction, why: Why) -> AsyncIterator[Finding]:
        order = await self._state.get(Order, action.order_id)
        if order is None:
            yield block("order-unknown", f"there is no order {action.order_id}")
            return
        for finding in _allowed_by_order(action, order):
            yield finding
        async for finding in self._asked_by_owner(order, why):
            yield finding

    async def _asked_by_owner(self, order: Order, why: Why) -> AsyncIterator[Finding]:
        ticket = await self._state.get(Ticket, why.facts["ticket"]) if why.facts.get("ticket") else None
        if ticket is None:
            yield hold("ticket-unknown", "no ticket says who asked for this")
            return
        if not await self.owns(ticket, order):
            yield block("not-their-order", f"order {order.order_id} does not belong to the sender of ticket {ticket.ticket_id}")
        for finding in suspicion(ticket):
            yield finding

    async def _facts(self, action: SendReply, ticket: Ticket) -> AsyncIterator[Finding]:
        """Every fact a reply states is about the customer's own things, and still true."""
        for order_id in sorted({key for ref in action.facts if (key := _order_of(ref))}):
            order = await self._state.get(Order, order_id)
            if order is None or not await self.owns(ticket, order):
                yield block("not-their-order", f"the reply speaks of order {order_id}, which is not the customer's")
        for ref in action.facts:
            if ref.partition("/")[0] not in {"order", "product", "shop", "policy"}:
                yield block("fact-out-of-bounds", f"a reply may not state {ref}")
        reader = FactReader(state=self._state, policies=self._policies)
        for ref, value in (await reader.differing(action.facts)).items():
            yield block("fact-changed", f"{ref} is {value or 'not known'}, the reply says {action.facts[ref]}")

    async def _text(self, action: SendReply, ticket: Ticket) -> AsyncIterator[Finding]:
        policy = (await self._policies.in_force(SupportPolicy)).document
        shop = await self._state.get(Shop, "self")
        mails = [address_of(ticket.sender), *([shop.email] if shop else [])]
        templates = _wording(policy, ticket.intent or "")
        facts = {**action.facts, "signature": shop.signature if shop else ""}
        findings = text_findings(action.body, facts=facts, templates=templates, mails=mails, site_url=shop.site_url if shop else "")
        for finding in findings:
            yield finding
        for number in sorted(unsupported(action.body, (*facts.values(), *templates))):
            if await self._is_anothers_order(number, ticket):
                yield block("not-their-order", f"the reply to {action.to} names order {number}, which is somebody else's")

    async def _is_anothers_order(self, number: str, ticket: Ticket) -> bool:
        for candidate in {number, number.upper()}:
            order = await self._state.get(Order, candidate)
            if order and not await self.owns(ticket, order):
                return True
        return False

    async def owns(self, ticket: Ticket, order: Order) -> bool:
        """Whether ``order`` was placed by the sender of ``ticket``: by its address, or by the customer who has it."""
        sender = address_of(ticket.sender)
        if not sender:
            return False
        if address_of(order.email) == sender:
            return True
        customer = await self._state.get(Customer, order.customer_id)
        return customer is not None and address_of(customer.email) == sender


def suspicion(ticket: Ticket) -> tuple[Finding, ...]:
    """A finding where anything the customer wrote in this thread tries to steer us."""
    inbound = (m.body for m in ticket.messages if m.direction is Direction.INBOUND)
    found = dict.fromkeys(sign for i, body in enumerate(inbound) for sign in signs(body, subject="" if i else ticket.subject))
    return (hold("injection-suspected", f"the customer's text {', '.join(found)}"),) if found else ()


def _headers(action: SendReply) -> tuple[Finding, ...]:
    fields = {"to": action.to, "from": action.sender, "subject": action.subject, "in-reply-to": action.in_reply_to}
    fields["message-id"] = action.message_id
    broken = [name for name, text in fields.items() if any(ord(c) < 32 or ord(c) == 127 for c in text)]
    return tuple(block("header-injection", f"the {name} of the mail holds a control character") for name in broken)


def _recipient(action: SendReply, ticket: Ticket) -> tuple[Finding, ...]:
    sender = address_of(ticket.sender)
    if sender and address_of(action.to) == sender:
        return ()
    return (block("wrong-recipient", f"the reply goes to {action.to}, the ticket is from {ticket.sender}"),)


def _allowed_by_order(action: OrderAction, order: Order) -> tuple[Finding, ...]:
    match action:
        case RefundOrder():
            return (*_refund(action.amount, order), *_payment(action, order))
        case CancelOrder() | ChangeAddress() if order.status is not OrderStatus.PAID:
            return (block("order-not-open", f"order {order.order_id} is {order.status}"),)
        case ReinstateOrder() if order.status is not OrderStatus.CANCELLED:
            return (block("order-not-cancelled", f"order {order.order_id} is {order.status}"),)
        case ChangeAddress() if action.address.country != order.ship_to.country:
            return (hold("other-country", f"order {order.order_id} would go to {action.address.country}"),)
    return ()


def _refund(amount: Money, order: Order) -> tuple[Finding, ...]:
    if amount.currency != order.total.currency:
        return (block("refund-currency", f"order {order.order_id} was paid in {order.total.currency}, not {amount.currency}"),)
    if amount.amount <= 0 or amount.rounded() != amount:
        return (block("refund-amount", f"{amount.amount} {amount.currency} is not an amount that can be refunded"),)
    if amount > order.refundable:
        return (block("refund-too-high", f"{amount} is more than the {order.refundable} left on order {order.order_id}"),)
    before = [r for r in order.refunds if r.amount == amount]
    return (hold("refund-repeated", f"{amount} was refunded on order {order.order_id} before"),) if before else ()


def _payment(action: RefundOrder, order: Order) -> tuple[Finding, ...]:
    """Whoever names another payment would have somebody else's money given back."""
    if action.payment_reference == order.payment_reference:
        return ()
    said, named = order.payment_reference or "nobody knows what", action.payment_reference or "nothing"
    text = f"order {order.order_id} was paid as {said}, not as {named}"
    return (block("wrong-payment", text),)


def _order_of(ref: str) -> str:
    stream = ref.partition("#")[0]
    return stream.removeprefix("order/") if stream.startswith("order/") else ""


def _wording(policy: SupportPolicy, intent: str) -> tuple[str, ...]:
    """The texts the shop's own playbooks allow for this intent, and those that fit any."""
    always = ("ask-order", "follow-up")
    books = [book for name, book in policy.playbooks.items() if name == intent or name in always]
    return tuple(text for book in books for text in (book.template, *book.situations.values()) if text)
