"""What a message is about, beyond its intent: whose order, which product, which new address. Pure.

Nothing here believes the text: an order counts when it is the sender's own, a product when the catalogue has it.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log

from domain.entities import Address, Order, OrderLine, OrderStatus, Product

RECENT = timedelta(days=90)
_OPEN = frozenset({OrderStatus.PAID, OrderStatus.SHIPPED})
_ON_ITS_WAY = frozenset({"where-is-my-order", "late", "cancel", "change-address"})
_WORD = re.compile(r"[^\W_]+(?:[-/.][^\W_]+)*")
_ORDER_NUMBER = re.compile(r"(?:# ?|\border ?(?:no\.?|number|nr\.?|id|#)? ?[:#]? ?)([a-z]{0,6}-?\d[\w-]{2,30})", re.IGNORECASE)
_FILLER = frozenset(["the", "a", "an", "of", "for", "with", "and", "in", "on", "to", "my", "your", "our", "set", "from", "by", "x"])
_DAMAGE = re.compile(
    r"\b(?:broken|broke|damaged?|crack(?:ed|s)?|shatter(?:ed)?|smashed|chipped|torn|defective|faulty|dent(?:ed|s)?|"
    r"(?:does|did)(?: not|n't) work|stopped working|in pieces|split|leak(?:s|ed|ing)?)\b",
    re.IGNORECASE,
)
_TITLE_SHARE = 0.6  # of a title's weight that has to be in the text


@dataclass(frozen=True)
class OrderMatch:
    """``order`` is the sender's own or None. ``named_unknown``: the text names a number that is none of theirs."""

    order: Order | None
    candidates: tuple[Order, ...] = ()
    named_unknown: bool = False


def match_order(
    text: str, own: Sequence[Order], *, intent: str, known: str | None, now: datetime, needed: bool = True
) -> OrderMatch:
    """The order ``text`` is about, out of the sender's ``own``.

    A number counts only when it is one of theirs. Without one, and where an order is ``needed``, the order of the
    thread is meant (``known``), else the only recent one that fits the intent.
    """
    named = _named(text, own)
    unknown = not named and _names_another(text, own)
    if len(named) == 1:
        return OrderMatch(named[0])
    if named or unknown or not needed:
        return OrderMatch(None, tuple(named), unknown)
    earlier = next((o for o in own if o.order_id == known), None)
    if earlier:
        return OrderMatch(earlier)
    fitting = _fitting(own, intent, now)
    return OrderMatch(fitting[0]) if len(fitting) == 1 else OrderMatch(_with_named_item(text, fitting), tuple(fitting))


def refined(intent: str, text: str) -> str:
    """``intent``, except that money back for something broken is damage: what is due differs."""
    return "damaged" if intent == "refund" and _DAMAGE.search(text) else intent


def names_any(text: str, own: Sequence[Order]) -> bool:
    """Whether ``text`` names one of the sender's own orders."""
    return bool(_named(text, own))


def affected_line(text: str, order: Order) -> OrderLine | None:
    """The one line of ``order`` that ``text`` is about: the only one there is, or the only one whose item is named."""
    if len(order.lines) == 1:
        return order.lines[0]
    found = [line for line, named in zip(order.lines, _named_titles(text, order.lines), strict=True) if named]
    return found[0] if len(found) == 1 else None


def match_product(text: str, products: Sequence[Product]) -> Product | None:
    """The one product that ``text`` names by SKU or by most of the distinctive words of its title."""
    words = _stems(text)
    by_sku = [p for p in products if _has_token(text, p.sku)]
    if len(by_sku) == 1:
        return by_sku[0]
    frequency = Counter(stem for product in products for stem in _stems(product.title))
    scored = sorted(((_title_score(p.title, words, frequency, len(products)), p.sku, p) for p in products), reverse=True)
    best = [p for score, _, p in scored if score >= _TITLE_SHARE and score == scored[0][0]]
    return best[0] if len(best) == 1 else None


_ATTRIBUTE_WORDS = {
    "material": "made material wood fabric cotton ceramic steel glass leather linen metal plastic",
    "dimensions": "size dimension big large small long wide tall high length width height measure cm inch diameter",
    "size": "size big large small fit fits",
    "weight": "weigh weight heavy light kg gram grams",
    "care": "wash washing clean cleaning dishwasher washable care oil oiled microwave maintain",
    "colour": "colour color colours colors",
    "color": "colour color colours colors",
    "origin": "made origin from country where produced manufactured local",
    "capacity": "capacity volume hold holds litre liter litres ml much",
    "burn time": "burn burning long last lasts hours",
    "scent": "scent smell fragrance smells",
    "battery": "battery batteries charge rechargeable",
    "warranty": "warranty guarantee",
    "age": "age old child children baby toddler year years",
}


def asked_attributes(text: str, product: Product) -> tuple[str, ...]:
    """The attributes of ``product`` that ``text`` asks for; empty where the question is about something else."""
    words = _stems(text) - _stems(product.title)
    hits = []
    for key, value in product.attributes.items():
        plain = key.replace("_", " ").replace("-", " ").lower()
        about = (
            _stems(plain) | _stems(_ATTRIBUTE_WORDS.get(plain, "")) | {s for s in _stems(value) if not s.isdigit() and len(s) > 3}
        )
        if words & about:
            hits.append(key)
    return tuple(hits)


_COUNTRIES = {
    "germany": "DE", "deutschland": "DE", "austria": "AT", "österreich": "AT", "switzerland": "CH", "schweiz": "CH",
    "france": "FR", "italy": "IT", "spain": "ES", "portugal": "PT", "netherlands": "NL", "belgium": "BE", "luxembourg": "LU",
    "denmark": "DK", "sweden": "SE", "norway": "NO", "finland": "FI", "poland": "PL", "czechia": "CZ", "ireland": "IE",
    "united kingdom": "GB", "uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "united states": "US", "usa": "US",
    "canada": "CA", "australia": "AU", "new zealand": "NZ",
}  # fmt: skip
_TOWN = r"[^\W\d_][^\W\d_.'’ -]{1,40}[^\W\d_.]"
_EIRCODE = r"[A-Z]\d[\dW]\s?[A-Z\d]{4}"
_POSTCODE_TOWN = re.compile(rf"(?P<postcode>(?:[A-Z]{{1,2}}-)?\d{{4,5}}(?:\s?[A-Z]{{2}})?|{_EIRCODE})\s+(?P<city>{_TOWN})")
_TOWN_POSTCODE = re.compile(
    rf"(?P<city>{_TOWN})(?:\s+[A-Z]{{2}})?\s+(?P<postcode>[A-Z]{{1,2}}\d[A-Z\d]?\s?\d[A-Z]{{2}}|{_EIRCODE}|\d{{5}}(?:-\d{{4}})?)"
)
_STREET = re.compile(r"(?=.*\d)(?=.*[^\W\d_]{3}).{4,80}")
_INTRODUCTION = re.compile(
    r"^.*?(?:address(?: is| to| now)?|deliver(?:ed)? to|ship(?:ped)? (?:it )?to|send (?:it )?to|to)\s*[:\-]?\s+", re.IGNORECASE
)


def parse_address(text: str, *, name: str, country: str) -> Address | None:
    """A whole postal address in ``text``, or None. ``name`` and ``country`` stand in where the text has none."""
    parts = [part.strip(" .;") for part in re.split(r"[\n,]", text) if part.strip(" .;")]
    for i, part in enumerate(parts[1:], start=1):
        town = _POSTCODE_TOWN.fullmatch(part) or _TOWN_POSTCODE.fullmatch(part)
        street = _street(parts[i - 1])
        if town and street:
            given = _person(parts[i - 2]) if i >= 2 else ""
            there = _COUNTRIES.get(parts[i + 1].lower(), "") if i + 1 < len(parts) else ""
            fields = {"name": given or name, "line1": street, "city": town["city"], "country": there or country}
            return Address(**fields, postcode=town["postcode"])
    return None


def _street(part: str) -> str:
    plain = part if len(part) <= 200 else ""
    while (shorter := _INTRODUCTION.sub("", plain, count=1)) != plain:
        plain = shorter
    return plain if _STREET.fullmatch(plain) else ""


def _person(part: str) -> str:
    words = part.split()
    return (
        part
        if 2 <= len(words) <= 4 and all(w[0].isupper() and w.replace("-", "").replace(".", "").isalpha() for w in words)
        else ""
    )


def _named(text: str, own: Sequence[Order]) -> list[Order]:
    return [order for order in own if _has_token(text, order.order_id)]


def _names_another(text: str, own: Sequence[Order]) -> bool:
    ids = {order.order_id.lower() for order in own}
    spaced = " ".join(text.split())  # the pattern counts on single spaces: a run of them would be tried in every division
    return any(m[1].lower() not in ids for m in _ORDER_NUMBER.finditer(spaced))


def _fitting(own: Sequence[Order], intent: str, now: datetime) -> list[Order]:
    recent = [o for o in own if now - o.placed_at <= RECENT]
    still_open = [o for o in recent if o.status in _OPEN]
    return still_open if intent in _ON_ITS_WAY and still_open else recent


def _with_named_item(text: str, orders: Sequence[Order]) -> Order | None:
    lines = [(order, line) for order in orders for line in order.lines]
    named = _named_titles(text, [line for _, line in lines])
    found = {order.order_id: order for (order, _), hit in zip(lines, named, strict=True) if hit}
    return next(iter(found.values())) if len(found) == 1 else None


def _named_titles(text: str, lines: Sequence[OrderLine]) -> list[bool]:
    """For each line whether ``text`` has its SKU or a word that only its title has among ``lines``."""
    words, titles = _stems(text), [_stems(line.title) for line in lines]
    shared = Counter(stem for title in titles for stem in title)
    own = [{stem for stem in title if shared[stem] == 1} for title in titles]
    return [_has_token(text, line.sku) or bool(stems & words) for line, stems in zip(lines, own, strict=True)]


def _has_token(text: str, token: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(token.lower())}(?![\w-])", text.lower()) is not None


def _title_score(title: str, words: frozenset[str], frequency: Counter[str], products: int) -> float:
    weights = {stem: log(1 + products / frequency[stem]) for stem in _stems(title)}
    return sum(w for stem, w in weights.items() if stem in words) / (sum(weights.values()) or 1.0)


def _stems(text: str) -> frozenset[str]:
    words = (w.lower() for w in _WORD.findall(text))
    return frozenset(w[:-1] if len(w) > 3 and w.endswith("s") and not w.endswith("ss") else w for w in words if w not in _FILLER)
