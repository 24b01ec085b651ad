"""What deserves a page: products that sell without one, and questions that keep coming. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

from agents.skills.message_text import newest
from agents.skills.triage import asked_attributes, match_product
from domain.entities import ContentMetrics, ContentPiece, ContentStatus, Direction, Product, Stock, Ticket
from domain.ids import slugify
from domain.model import Name, Value
from domain.policies import ContentPolicy
from domain.titles import WRITTEN
from domain.wording import counted

LOOKING_BACK = timedelta(days=90)
"""How far back sales and questions count."""
QUESTION_INTENTS = frozenset({"product-question", "stock-question"})
ENOUGH_IMPRESSIONS = 200
"""Below that a click-through rate says nothing: with 1% expected, 200 impressions bring two clicks."""
POOR_CTR = 0.01
MOST_REVISIONS = 3
_QUESTION_LENGTH = 300


class Topic(Value):
    """A page worth writing. ``asked`` are attributes customers asked for; ``questions`` are their words, which prove nothing.

    ``ignored_title`` is the template of the title that stands and is not clicked.
    """

    slug: Name
    kind: str
    sku: Name
    keyword: str
    reason: str
    asked: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    ignored_title: str = ""


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """What the choice of topics looks at. ``sold`` are units by SKU in the time looked back on."""

    products: Sequence[Product]
    stock: Mapping[str, Stock]
    pieces: Sequence[ContentPiece]
    tickets: Sequence[Ticket]
    sold: Mapping[str, int]


def ranked_topics(shelf: Shelf, *, policy: ContentPolicy, now: datetime) -> tuple[Topic, ...]:
    """Repeated questions first, most asked first; then products without a page, best sellers first."""
    taken = {piece.slug for piece in shelf.pieces}
    asked = [topic for topic in _questions(shelf, policy, now) if topic.slug not in taken]
    shown = {sku for piece in shelf.pieces for sku in piece.skus} | {topic.sku for topic in asked}
    gaps = [topic for topic in _gaps(shelf) if topic.slug not in taken and topic.sku not in shown]
    return (*asked, *gaps)


def sellable(product: Product | None, stock: Stock | None) -> bool:
    """Active, and at least one unit is here and not promised to anybody."""
    return product is not None and product.active and stock is not None and stock.on_hand - stock.reserved > 0


def clearly_ignored(metrics: Iterable[ContentMetrics]) -> bool:
    """The click-through rate is under one in a hundred, even at the upper end of its 95% Wilson interval (Wilson 1927)."""
    days = list(metrics)
    shown, clicks = sum(m.impressions for m in days), sum(m.clicks for m in days)
    return shown >= ENOUGH_IMPRESSIONS and _wilson_upper(clicks, shown) < POOR_CTR


def _questions(shelf: Shelf, policy: ContentPolicy, now: datetime) -> list[Topic]:
    by_sku = questions_by_sku(shelf.products, shelf.tickets, now=now)
    known = [p for p in shelf.products if sellable(p, shelf.stock.get(p.sku)) and p.attributes]
    often = [(by_sku[p.sku], p) for p in known if len(by_sku.get(p.sku, ())) >= policy.repeated_questions]
    return [_asked_topic(p, texts) for texts, p in sorted(often, key=lambda f: (-len(f[0]), f[1].sku))]


def questions_by_sku(products: Sequence[Product], tickets: Sequence[Ticket], *, now: datetime) -> dict[str, list[str]]:
    """The recent questions about each product, where the product can be told."""
    by_sku: dict[str, list[str]] = {}
    for text in _recent_questions(tickets, now):
        if product := match_product(text, products):
            by_sku.setdefault(product.sku, []).append(text)
    return by_sku


def _recent_questions(tickets: Sequence[Ticket], now: datetime) -> list[str]:
    """The subject and first message of each recent ticket with a question, once a sender."""
    texts: dict[str, str] = {}
    for ticket in tickets:
        first = next((m for m in ticket.messages if m.direction is Direction.INBOUND), None)
        if ticket.intent in QUESTION_INTENTS and first and now - first.at <= LOOKING_BACK:
            texts.setdefault(f"{ticket.sender} {ticket.subject}", f"{ticket.subject}\n{newest(first.body)}")
    return list(texts.values())


def refreshed_topic(piece: ContentPiece, product: Product, texts: Sequence[str], *, reason: str, ignored: bool) -> Topic:
    """The topic of a page that stands already, with the questions that have come meanwhile."""
    return Topic(
        slug=piece.slug,
        kind=piece.kind,
        sku=product.sku,
        keyword=piece.keyword,
        reason=reason,
        asked=_asked(product, texts),
        questions=tuple(text[:_QUESTION_LENGTH] for text in texts),
        ignored_title=(piece.title_template or WRITTEN) if ignored else "",
    )


def _asked(product: Product, texts: Sequence[str]) -> tuple[str, ...]:
    """The attributes asked for, most wanted first."""
    return tuple(name for name, _ in Counter(name for text in texts for name in asked_attributes(text, product)).most_common())


def _asked_topic(product: Product, texts: Sequence[str]) -> Topic:
    return Topic(
        slug=slugify(f"{product.title} questions"),
        kind="faq",
        sku=product.sku,
        keyword=keyword_of(product),
        reason=f"{counted(len(texts), 'customer')} asked about {product.title} in {LOOKING_BACK.days} days; no page answers them",
        asked=_asked(product, texts),
        questions=tuple(text[:_QUESTION_LENGTH] for text in texts),
    )


def _gaps(shelf: Shelf) -> list[Topic]:
    bare = [p for p in shelf.products if sellable(p, shelf.stock.get(p.sku)) and p.attributes]
    return [_gap_topic(p, shelf.sold.get(p.sku, 0)) for p in sorted(bare, key=lambda p: (-shelf.sold.get(p.sku, 0), p.sku))]


def _gap_topic(product: Product, sold: int) -> Topic:
    reason = f"{product.title} sold {counted(sold, 'time')} in {LOOKING_BACK.days} days and has no page"
    return Topic(slug=slugify(product.title), kind="product-guide", sku=product.sku, keyword=keyword_of(product), reason=reason)


def keyword_of(product: Product) -> str:
    """What people would search for: the title up to its first comma or bracket, in lower case."""
    return product.title.partition(",")[0].partition("(")[0].strip().lower()


def published(pieces: Iterable[ContentPiece]) -> list[ContentPiece]:
    return [piece for piece in pieces if piece.status is ContentStatus.PUBLISHED]


def _wilson_upper(hits: int, trials: int, z: float = 1.96) -> float:
    share = hits / trials
    centre = share + z * z / (2 * trials)
    spread = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return (centre + spread) / (1 + z * z / trials)
