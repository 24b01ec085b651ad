"""What customers write: one of many wordings, filled with what the mail is about."""

from demo.simulation.chance import chance
from demo.simulation.data import load
from demo.simulation.truth import Asked, Truth
from domain.entities import Address, Customer
from domain.model import Value


class Written(Value):
    subject: str
    body: str


def first_mail(truth: Truth, who: Customer, *, seed: int, key: str, jargon: float) -> Written:
    """The mail that opens a conversation; ``jargon`` is the share of those in the shop's own words."""
    draw, words = chance(seed, "mail", key), load("mails")
    own = _wordings(truth.intent)
    told = own["jargon"] if own["jargon"] and draw.random() < jargon else own["plain"]
    text = _sentence(_filled(draw.choice(told), truth))
    fields = {"first": who.name.split()[0], "name": who.name}
    parts = (draw.choice(words["openers"]), text, draw.choice(words["closers"]).format(**fields))
    return Written(subject=draw.choice(words["subjects"]).format(**fields), body="\n\n".join(p for p in parts if p))


def again(truth: Truth, *, seed: int, key: str) -> str:
    """The customer says it once more, plainly, because the answer was none."""
    draw = chance(seed, "again", key)
    full = truth.model_copy(update={"given": frozenset(Asked)})
    return f"{draw.choice(load('mails')['again'])} {_sentence(_filled(draw.choice(_wordings(truth.intent)['plain']), full))}"


def thanks(*, seed: int, key: str) -> str:
    return str(chance(seed, "thanks", key).choice(load("mails")["thanks"]))


def answer(asked: Asked, truth: Truth, *, seed: int, key: str) -> str:
    """What the customer answers to a question of ours."""
    text = chance(seed, "answer", key).choice(load("mails")["answers"][asked.value])
    return str(text.format(order_id=truth.order_id, title=truth.title, address=lines_of(truth.address)))


def lines_of(address: Address | None) -> str:
    """A postal address as people write it."""
    if address is None:
        return ""
    return "\n".join((address.name, address.line1, f"{address.postcode} {address.city}"))


def _wordings(intent: str) -> dict[str, list[str]]:
    mails = load("mails")
    found: dict[str, list[str]] = mails["intents"].get(intent) or mails["new"][intent]
    return found


def _filled(text: str, truth: Truth) -> str:
    fields = {
        "my_order": f"my order {truth.order_id}" if truth.order_id and Asked.ORDER in truth.given else "my order",
        "the_item": f"the {truth.title}" if truth.title and Asked.ITEM in truth.given else "one of the things",
        "title": truth.title,
        "address": lines_of(truth.address),
    }
    return text.format(**fields)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
