"""What a mail is really about, which only the simulator knows, and whether what was done about it is right."""

import re
from collections.abc import Mapping
from enum import StrEnum

from domain.actions import Action, CancelOrder, ChangeAddress, RefundOrder, SendReply
from domain.entities import Address
from domain.model import Name, Value
from domain.money import Money

BY_PERSON = frozenset({"complaint", "out-of-scope", "hostile", "gift-wrap"})
_SERVES: dict[str, frozenset[str]] = {
    "where-is-my-order": frozenset({"late"}),
    "late": frozenset({"where-is-my-order"}),
    "return": frozenset({"refund"}),
    "refund": frozenset({"return"}),
}
"""By what a mail is about: the other intents whose answer says the same."""
KNOWN_AS = {"hostile": "out-of-scope"}
"""What the operator calls kinds of mail that no intent is made for."""


class Asked(StrEnum):
    """What a reply asks for."""

    ORDER = "order"
    ITEM = "item"
    ADDRESS = "address"


class Truth(Value):
    """``given`` is what the mails so far say; ``refund`` is the most that is due, None where nothing is."""

    intent: Name
    order_id: str = ""
    sku: str = ""
    title: str = ""
    refund: Money | None = None
    cancel: bool = False
    address: Address | None = None
    given: frozenset[Asked] = frozenset()

    @property
    def label(self) -> str:
        return KNOWN_AS.get(self.intent, self.intent)

    def serves(self, intent: str) -> bool:
        """Whether an answer to ``intent`` answers this too."""
        return intent == self.label or intent in _SERVES.get(self.intent, frozenset())


class Judgement(Value):
    """``asks`` where the reply is right to ask for something; ``severe`` where money or a parcel went the wrong way."""

    right: bool
    why: str = ""
    asks: Asked | None = None
    severe: bool = False


_ASKS = {
    Asked.ORDER: re.compile(r"tell us the order number|which one you mean|check the number", re.IGNORECASE),
    Asked.ITEM: re.compile(r"tell us which item", re.IGNORECASE),
    Asked.ADDRESS: re.compile(r"send us the full new address", re.IGNORECASE),
}
_ORDER_FACT = re.compile(r"^order/([^#]+)#")
_PRODUCT_FACT = re.compile(r"^product/([^#]+)#")


def judge(action: Action, truth: Truth, *, intent: str) -> Judgement:
    """``action`` against the truth; ``intent`` is what the mail was taken for."""
    match action:
        case SendReply():
            return _reply(action, truth, intent)
        case RefundOrder():
            return _refund(action, truth)
        case CancelOrder():
            right = truth.cancel and action.order_id == truth.order_id
            return Judgement(right=right, why="" if right else "nobody asked to cancel this order", severe=not right)
        case ChangeAddress():
            right = _same_place(action.address, truth.address) and action.order_id == truth.order_id
            return Judgement(right=right, why="" if right else "it would go to the wrong place", severe=not right)
    return Judgement(right=True)


def _refund(action: RefundOrder, truth: Truth) -> Judgement:
    if action.order_id != truth.order_id or truth.refund is None:
        return Judgement(right=False, why="nothing is due on this order", severe=True)
    right = action.amount <= truth.refund
    return Judgement(right=right, why="" if right else f"at most {truth.refund} is due", severe=not right)


def _reply(action: SendReply, truth: Truth, intent: str) -> Judgement:
    if not action.body.strip():
        return Judgement(right=False, why="it has no words yet")
    if truth.intent == "spam" or truth.intent in BY_PERSON:
        return Judgement(right=False, why="this wants a person")
    if not truth.serves(intent):
        return Judgement(right=False, why="it answers another question")
    if wrong := _about_another(action.facts, truth):
        return Judgement(right=False, why=wrong)
    asks = next((asked for asked, words in _ASKS.items() if words.search(action.body)), None)
    if asks is not None and asks in truth.given:
        return Judgement(right=False, why="it asks for what the customer said")
    return Judgement(right=True, asks=asks)


def _about_another(facts: Mapping[str, str], truth: Truth) -> str:
    """Facts of an order or a product that the mail is not about; a list of the customer's own orders is a question."""
    orders = {m[1] for ref in facts if (m := _ORDER_FACT.match(ref))}
    products = {m[1] for ref in facts if (m := _PRODUCT_FACT.match(ref))}
    if truth.order_id and orders and truth.order_id not in orders:
        return "it speaks of another order"
    return "it speaks of another product" if not truth.order_id and truth.sku and products and truth.sku not in products else ""


def _same_place(one: Address, other: Address | None) -> bool:
    return other is not None and (one.line1, one.postcode, one.city) == (other.line1, other.postcode, other.city)
