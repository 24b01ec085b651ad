"""Everything the canonical state knows about one ticket: the sender, their orders, the message to answer."""

from dataclasses import dataclass
from datetime import datetime

from agents.skills.message_text import LIMIT, address_of, newest, visible
from agents.skills.triage import OrderMatch, match_order
from domain.entities import Customer, Direction, Message, Order, Shop, Ticket
from domain.errors import InvalidInput, NotFound
from domain.ports import State


@dataclass(frozen=True, kw_only=True)
class CaseFile:
    """``sender`` is empty where the ticket has no address that can be answered. ``own`` are the sender's orders only.

    ``text`` is what the customer wrote that we have not answered, ``message`` the last of it.
    """

    ticket: Ticket
    message: Message
    text: str
    sender: str
    customer: Customer | None
    own: tuple[Order, ...]
    shop: Shop

    @property
    def subject(self) -> str:
        return visible(self.ticket.subject)

    @property
    def claim(self) -> str:
        """The subject and the newest text: what the rules search for order numbers and products."""
        return f"{self.subject}\n{self.text}"

    @property
    def answered(self) -> tuple[Message, ...]:
        return tuple(m for m in self.ticket.messages if m.direction is Direction.OUTBOUND)

    def order_for(self, intent: str, now: datetime, *, needed: bool) -> OrderMatch:
        known = self.ticket.order_id
        return match_order(self.claim, self.own, intent=intent, known=known, now=now, needed=needed)


async def open_case(ticket_id: str, *, state: State) -> CaseFile:
    """Raises NotFound for an unknown ticket, InvalidInput for one without a customer's message or without a shop."""
    ticket = await state.get(Ticket, ticket_id)
    if ticket is None:
        raise NotFound(f"there is no ticket {ticket_id}")
    message = ticket.last_inbound
    shop = await state.get(Shop, "self")
    if message is None or shop is None:
        missing = "customer's message" if message is None else "shop"
        raise InvalidInput(f"ticket {ticket_id} has no {missing}", hint="describe the shop first" if message else "")
    sender = address_of(ticket.sender)
    customer = await _customer(sender, state)
    own = await _orders(sender, customer, state)
    text = _unanswered(ticket, message)
    return CaseFile(ticket=ticket, message=message, text=text, sender=sender, customer=customer, own=own, shop=shop)


def _unanswered(ticket: Ticket, message: Message) -> str:
    """What the customer wrote that we have not answered, in their order; the last of it where we answered everything."""
    return "\n\n".join(newest(m.body) for m in ticket.unanswered or (message,))[-LIMIT:]


async def _customer(sender: str, state: State) -> Customer | None:
    """Never from the text, a display name or a Reply-To: only the address the mail came from."""
    found = await state.find(Customer, email=sender) if sender else []
    return found[0] if found else None


async def _orders(sender: str, customer: Customer | None, state: State) -> tuple[Order, ...]:
    if not sender:
        return ()
    by_address = await state.find(Order, email=sender)
    by_customer = await state.find(Order, customer_id=customer.customer_id) if customer else []
    unique = {order.order_id: order for order in (*by_address, *by_customer)}
    return tuple(sorted(unique.values(), key=lambda o: (o.placed_at, o.order_id), reverse=True))
