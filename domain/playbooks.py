"""Playbooks: how each intent of a support message is handled. The defaults suit a small shop.

A reply's template is chosen by the *situation* the rules found ("shipped", "too-late"); its {fields} are filled from
canonical facts only. A field that has no fact means that a person writes the answer.
"""

from decimal import Decimal

from pydantic import Field

from domain.model import Text, Value

ASK_ORDER = "ask-order"
FOLLOW_UP = "follow-up"


class Playbook(Value):
    """``needs`` names what must be known (order, product), ``actions`` the allowed kinds of action.

    ``template`` is the reply, ``situations`` the replies for special cases. ``goodwill`` is the share of an order's
    total that may be refunded for lateness, where ``actions`` allows a refund at all.
    """

    needs: tuple[str, ...] = ()
    actions: tuple[str, ...] = ("send-reply",)
    template: Text = ""
    situations: dict[str, Text] = Field(default_factory=dict)
    goodwill: Decimal = Field(default=Decimal(0), ge=0, le=1)
    ask: bool = False  # always show it to the operator
    close_silently: bool = False  # spam: no answer at all

    def reply(self, situation: str) -> str:
        """The template for a situation; empty where there is none."""
        return self.situations.get(situation) or self.template


_DELIVERED = (
    "Thank you for your message. Our records show that order {order_id} was delivered on {delivered_on}. "
    "Could you have a look around the place where parcels are usually left, and ask your neighbours? "
    "If it is still missing, just answer this mail and we will look into it with the carrier."
)
_SHIPPED = (
    "Thank you for your message. Order {order_id} left us on {shipped_on} with {carrier}. "
    "You can follow it with the tracking number {tracking}."
)
_SHIPPED_UNTRACKED = "Thank you for your message. Order {order_id} left us on {shipped_on} and is on its way to you."
_CANCELLED = "Thank you for your message. Order {order_id} was cancelled, so nothing is on its way for it."

_WHERE_IS_IT = {
    "paid": (
        "Thank you for your message. We received your order {order_id} on {placed_on}. "
        "It is being prepared and has not left us yet. You will get a mail as soon as it ships."
    ),
    "shipped": _SHIPPED,
    "shipped-untracked": _SHIPPED_UNTRACKED,
    "late": (
        "I am sorry that order {order_id} is taking longer than it should. It left us on {shipped_on} with {carrier}, "
        "and the tracking number is {tracking}. If the tracking has not moved in the last few days, "
        "please answer this mail and we will take it up with the carrier."
    ),
    "late-untracked": (
        "I am sorry that order {order_id} is taking longer than it should. It left us on {shipped_on}. "
        "If it does not reach you in the next few days, please answer this mail and we will look into it."
    ),
    "late-goodwill": (
        "I am sorry that order {order_id} is taking longer than it should. It left us on {shipped_on} and is still on its way. "
        "To make up for the wait we have refunded {last_refund} to your payment method."
    ),
    "delivered": _DELIVERED,
    "cancelled": _CANCELLED,
}

DEFAULT_PLAYBOOKS: dict[str, Playbook] = {
    "where-is-my-order": Playbook(needs=("order",), situations=_WHERE_IS_IT),
    "late": Playbook(needs=("order",), situations=_WHERE_IS_IT),
    "damaged": Playbook(
        needs=("order",),
        actions=("send-reply", "refund-order"),
        situations={
            "refund": (
                "I am very sorry about the trouble with {affected} from order {order_id}. "
                "We have refunded {last_refund} to your payment method; depending on your bank it shows up within a few days. "
                "You do not need to send anything back."
            ),
            "which-item": (
                "I am very sorry that something in order {order_id} is not as it should be. The order contains {items}. "
                "Could you tell us which item it is, and attach a photo if you can? Then we will put it right."
            ),
            "not-delivered": (
                "I am sorry to hear that. Our records do not show order {order_id} as delivered yet. "
                "Could you tell us what arrived and what is wrong with it, and attach a photo if you can?"
            ),
        },
    ),
    "return": Playbook(
        needs=("order",),
        situations={
            "in-window": (
                "Of course you can return it. Order {order_id} was delivered on {delivered_on}, and you can send items back "
                "within {refund_window} days of delivery. Please pack them safely, put the order number in the parcel and "
                "answer this mail with the items you are sending back. We refund you once they have arrived."
            ),
            "too-late": (
                "Thank you for asking. Order {order_id} was delivered on {delivered_on}, and returns are possible within "
                "{refund_window} days of delivery, so we cannot take it back as a return. "
                "If something is wrong with it, please tell us what, and we will find a solution."
            ),
            "not-delivered": (
                "Thank you for asking. Order {order_id} has not been delivered yet. Once it has arrived you have "
                "{refund_window} days to send items back; just answer this mail then."
            ),
            "paid": (
                "Thank you for asking. Order {order_id} has not left us yet, so there is nothing to send back. "
                "If you would rather cancel it, answer with: please cancel order {order_id}."
            ),
            "cancelled": _CANCELLED,
        },
    ),
    "refund": Playbook(
        needs=("order",),
        actions=("send-reply", "refund-order"),
        situations={
            "refund": (
                "Thank you for your message. Order {order_id} was cancelled, and we have refunded {last_refund} to your "
                "payment method. Depending on your bank it shows up within a few days."
            ),
            "refunded": (
                "Thank you for your message. We have already refunded {refunded} for order {order_id} to your payment method. "
                "Depending on your bank it can take a few days until it shows up."
            ),
            "in-window": (
                "Thank you for your message. Order {order_id} was delivered on {delivered_on}. You can send items back within "
                "{refund_window} days of delivery, and we refund you once they have arrived. "
                "Please answer with the items you would like to return."
            ),
            "too-late": (
                "Thank you for your message. Order {order_id} was delivered on {delivered_on}, and returns for a refund are "
                "possible within {refund_window} days of delivery. If something is wrong with an item, please tell us what."
            ),
            "paid": (
                "Thank you for your message. Order {order_id} has not left us yet. "
                "If you would like to cancel it and get your money back, answer with: please cancel order {order_id}."
            ),
            "not-delivered": (
                "Thank you for your message. Order {order_id} is on its way to you. Once it has arrived you can send items back "
                "within {refund_window} days, and we refund you when they are here."
            ),
        },
    ),
    "cancel": Playbook(
        needs=("order",),
        actions=("send-reply", "cancel-order", "refund-order"),
        situations={
            "cancelled-refunded": (
                "As you asked, we have cancelled order {order_id} and refunded {last_refund} to your payment method. "
                "Depending on your bank it shows up within a few days."
            ),
            "cancelled-now": "As you asked, we have cancelled order {order_id}.",
            "cancelled": "Order {order_id} is already cancelled, so there is nothing more you need to do.",
            "not-delivered": (
                "Thank you for your message. Order {order_id} already left us on {shipped_on}, so it can no longer be cancelled. "
                "You can send it back within {refund_window} days of delivery; just answer this mail once it has arrived."
            ),
            "in-window": (
                "Thank you for your message. Order {order_id} was delivered on {delivered_on}, so it can no longer be cancelled. "
                "You can send it back within {refund_window} days of delivery; answer with the items you would like to return."
            ),
            "too-late": (
                "Thank you for your message. Order {order_id} was delivered on {delivered_on}, so it can no longer be cancelled."
            ),
        },
    ),
    "change-address": Playbook(
        needs=("order",),
        actions=("send-reply", "change-address"),
        situations={
            "changed": "We have changed the delivery address of order {order_id}. It now goes to: {address}.",
            "which-address": (
                "Order {order_id} has not left us yet, so we can still change where it goes. Please send us the full new "
                "address: name, street and house number, postcode, town and country, each on a line of its own."
            ),
            "not-delivered": (
                "Thank you for your message. Order {order_id} already left us on {shipped_on}, so we cannot change the address "
                "any more. Many carriers let you redirect a parcel on their own site."
            ),
            "delivered": (
                "Thank you for your message. Order {order_id} was delivered on {delivered_on}, so its address cannot be changed."
            ),
            "cancelled": _CANCELLED,
        },
    ),
    "product-question": Playbook(
        needs=("product",),
        template="Thank you for your interest in {title}. {answer} It costs {price}, and {availability}.",
    ),
    "stock-question": Playbook(
        needs=("product",),
        situations={
            "in-stock": "Thank you for asking. {title} is in stock, and you can order it right away for {price}.",
            "out-of-stock": (
                "Thank you for asking. {title} is sold out at the moment, and we do not have a date for new stock yet. "
                "Answer this mail if you would like us to tell you when it is back."
            ),
            "expected": (
                "Thank you for asking. {title} is sold out at the moment. We expect new stock around {expected_on}. "
                "Answer this mail if you would like us to tell you when it is back."
            ),
            "retired": "Thank you for asking. We do not offer {title} any more.",
        },
    ),
    "invoice": Playbook(
        needs=("order",),
        template=(
            "Here are the details of your order for your records. Order {order_id} of {placed_on}: {items}. "
            "Total paid: {total}. If you need an invoice made out to a company, please answer with its name, address "
            "and VAT number."
        ),
    ),
    "complaint": Playbook(ask=True),
    "spam": Playbook(actions=(), close_silently=True),
    "out-of-scope": Playbook(ask=True),
    ASK_ORDER: Playbook(
        template=(
            "Thank you for your message. So that we can help you, could you tell us the order number? You find it in the "
            "confirmation mail. For your safety we can only speak about orders placed with the mail address you write from."
        ),
        situations={
            "not-yours": (
                "Thank you for your message. We could not find the order number you gave among the orders placed with the mail "
                "address you write from. Could you check the number? If you ordered with another address, please write to us "
                "from that one; for your safety we only speak about orders with the address they were placed with."
            ),
            "which-of-yours": (
                "Thank you for your message. You have more than one order with us: {own_orders}. "
                "Could you tell us which one you mean?"
            ),
        },
    ),
    FOLLOW_UP: Playbook(
        template=(
            "I just wanted to ask whether our last answer helped you. If anything is still open, simply answer this mail. "
            "If all is well, there is nothing you need to do."
        )
    ),
}

INTENTS: tuple[str, ...] = tuple(name for name in DEFAULT_PLAYBOOKS if name not in {ASK_ORDER, FOLLOW_UP})
"""Every answer the triage may give. "out-of-scope" is the honest "none of these"."""
