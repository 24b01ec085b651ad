"""Does a page say only what is known? Every figure and every claim of it is traced to the piece's facts. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence

from agents.skills.measures import identifiers, unsupported_measures
from agents.skills.page_text import page_text, sentences
from domain.decisions import Finding, Severity
from domain.entities import ContentPiece

_SUPERLATIVES = (
    r"best|finest|cheapest|lowest|highest|greatest|perfect(?:ly)?|unbeatable|unrivall?ed|unmatched|ultimate|number one|no\. ?1|"
    r"world[- ]class|world[’']?s|leading|top[- ]rated|award[- ]winning|most \w+|everyone|nobody else"
)
_HEALTH = (
    r"heals?|cures?|treats?|prevents?|relieves?|reliev\w+|health(?:y|ier)?|wellness|detox\w*|therapeutic|medical(?:ly)?|clinical(?:ly)?|"
    r"antibacterial|anti-bacterial|antimicrobial|hypoallergenic|allergy|non-?toxic|toxin[- ]free|immune|pain|sleep better"
)
_GUARANTEES = (
    r"guarantees?|guaranteed|warrant(?:y|ies)|lifetime|forever|risk[- ]free|money[- ]back|free (?:shipping|delivery|returns?)|"
    r"unbreakable|indestructible|never (?:fails?|breaks?|rusts?|fades?)|always works|certified|approved|tested"
)
_PROPERTIES = (
    r"organic|natural|vegan|recycled|recyclable|biodegradable|compostable|sustainabl[ey]|eco[- ]friendly|plastic[- ]free|"
    r"bpa[- ]free|food[- ]safe|dishwasher|microwave|oven|freezer|machine[- ]wash\w*|waterproof|water[- ]resistant|"
    r"windproof|fireproof|stainless|scratch[- ]resistant|non-?stick|hand-?made|hand-?thrown|hand-?woven|hand-?blown|"
    r"wireless|rechargeable|cordless|foldable|adjustable|unisex|child[- ]safe|antique|vintage|limited edition"
)
_MATERIALS = (
    r"leather|silk|cotton|linen|wool|cashmere|polyester|nylon|bamboo|oak|walnut|beech|maple|ash wood|pine|teak|steel|iron|brass|"
    r"copper|alumini?um|silver|gold|glass|crystal|ceramic|porcelain|stoneware|earthenware|marble|granite|plastic|silicone|rubber|"
    r"beeswax|soy wax"
)
_CLAIMS: Mapping[str, tuple[str, re.Pattern[str]]] = {
    code: (what, re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE))
    for code, what, pattern in (
        ("superlative-without-fact", "a superlative", _SUPERLATIVES),
        ("health-claim-without-fact", "a statement about health", _HEALTH),
        ("guarantee-without-fact", "a promise", _GUARANTEES),
        ("property-without-fact", "a property", _PROPERTIES),
        ("material-without-fact", "a material", _MATERIALS),
    )
}
_IMPLIED_UNITS = {"refund_window": "days"}
_CLAUSE_END = re.compile(r"[,;:]|\.\s|\bbut\b")
_NEGATION = re.compile(r"\b(?:no|not|never|none|without|cannot|neither|false|isn't|don't|doesn't)\b|n['’]t\b", re.IGNORECASE)


def fact_audit(piece: ContentPiece, *, wording: Iterable[str] = (), titles: Iterable[str] = ()) -> tuple[Finding, ...]:
    """Findings about the title, description and body of ``piece``, and about the price in its structured data.

    ``wording`` are texts of the owner, such as the product's description, which the page may repeat. ``titles`` are those of
    other pages: a line that is nothing else points to that page and says nothing about this product.
    """
    pointers = {_plain(title) for title in titles}
    own = (block for block in page_text(piece.body).blocks if _plain(block) not in pointers)
    text = "\n".join((piece.title, piece.description, *own))
    known = {**piece.facts, **{f"wording/{n}": words for n, words in enumerate(wording)}}
    return (*_figures(text, known, piece.skus), *_claims(text, known), *_structured_price(piece))


def _figures(text: str, known: Mapping[str, str], skus: Sequence[str]) -> Iterable[Finding]:
    sources = [*known.values(), *map(_with_name, known.items()), *skus]
    measured = (measure.written for measure in unsupported_measures(text, sources))
    named = sorted(identifiers(text) - identifiers(" ".join(sources)))
    for figure in dict.fromkeys((*measured, *named)):
        yield _finding("figure-without-fact", Severity.BLOCK, f"{figure!r} stands in no fact")


def _with_name(fact: tuple[str, str]) -> str:
    """A fact with the unit its name implies: ``weight_g`` of 450 is "450 g"."""
    name, value = fact[0].rpartition("#")[2].lower(), fact[1]
    return f"{value} {_IMPLIED_UNITS.get(name) or re.split(r'[^a-z%°]+', name)[-1]}"


def _claims(text: str, facts: Mapping[str, str]) -> Iterable[Finding]:
    known = [(_plain(f"{ref.rpartition('#')[2]} {clause}"), _denies(clause)) for ref, v in facts.items() for clause in _clauses(v)]
    for code, (what, pattern) in _CLAIMS.items():
        found = ((m[0].lower(), _denies(c)) for s in sentences(text) for c in _clauses(s) for m in pattern.finditer(c))
        for claim, denied in dict.fromkeys(found):
            if not any(f" {_plain(claim)}" in f" {fact}" and denied == fact_denies for fact, fact_denies in known):
                text_of = f"not {claim}" if denied else claim
                yield _finding(code, Severity.HOLD, f"{text_of!r} is {what} that no fact supports")


def _clauses(sentence: str) -> list[str]:
    """Parts of a sentence between which a "not" does not carry over."""
    return _CLAUSE_END.split(sentence)


def _denies(clause: str) -> bool:
    return bool(_NEGATION.search(clause))


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.lower()).strip()


def _structured_price(piece: ContentPiece) -> Iterable[Finding]:
    prices = {value for ref, value in piece.facts.items() if ref.endswith("#price")}
    for offer in _offers(piece.json_ld):
        shown = f"{offer.get('price')} {offer.get('priceCurrency')}"
        if shown not in {price.replace(",", "") for price in prices}:
            yield _finding(
                "figure-without-fact", Severity.BLOCK, f"the structured data offers it for {shown}, which stands in no fact"
            )


def _offers(value: object) -> Iterable[Mapping[str, object]]:
    if isinstance(value, Mapping):
        if value.get("@type") == "Offer":
            yield value
        yield from (offer for inner in value.values() for offer in _offers(inner))
    elif isinstance(value, list | tuple):
        yield from (offer for inner in value for offer in _offers(inner))


def _finding(code: str, severity: Severity, text: str) -> Finding:
    return Finding(code=code, severity=severity, text=text)
