"""Structured data (schema.org, JSON-LD) of a page: built from facts by code, and checked. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from agents.skills.page_text import page_text
from domain.entities import ContentPiece, Product, Shop

_MARKUP = re.compile(r"</?[a-zA-Z!][^<>]*>|[<>]")
CONTEXT = "https://schema.org"
_REQUIRED: dict[str, tuple[str, ...]] = {
    "Product": ("name", "sku", "offers"),
    "Offer": ("price", "priceCurrency", "availability", "url"),
    "Article": ("headline", "author", "datePublished", "dateModified"),
    "FAQPage": ("mainEntity",),
    "Question": ("name", "acceptedAnswer"),
    "Answer": ("text",),
    "PropertyValue": ("name", "value"),
    "Organization": ("name",),
}
_TYPE_OF_KIND = {"product-guide": "Product", "faq": "FAQPage", "buying-guide": "Article"}


def page_url(site_url: str, slug: str) -> str:
    return f"{site_url.rstrip('/')}/{slug}/"


def structured_data(
    *, kind: str, title: str, body: str, product: Product, shop: Shop, slug: str, published: datetime, now: datetime
) -> dict[str, object]:
    """The page's graph: an article, the product on a product guide, and the questions the page answers."""
    graph = [_article(title, shop, published, now)]
    if kind == "product-guide":
        graph.append(_product(product, page_url(shop.site_url, slug)))
    if questions := answered_questions(body):
        graph.append(_faq(questions))
    return {"@context": CONTEXT, "@graph": [_without_markup(node) for node in graph]}


def following(piece: ContentPiece) -> ContentPiece:
    """``piece`` with structured data that says what its title and its text say: both can be edited after it was built."""
    graph = piece.json_ld.get("@graph")
    if not isinstance(graph, list):
        return piece
    nodes = [
        {**node, "headline": piece.title} if node.get("@type") == "Article" else node
        for node in graph
        if isinstance(node, dict) and node.get("@type") != "FAQPage"
    ]
    if questions := answered_questions(piece.body):
        nodes.append(_faq(questions))
    return piece.model_copy(update={"json_ld": {**piece.json_ld, "@graph": [_without_markup(node) for node in nodes]}})


def answered_questions(body: str) -> tuple[tuple[str, str], ...]:
    """(question, answer) of every heading of ``body`` that is a question with a text under it."""
    sections = page_text(body).sections
    return tuple((heading.text, " ".join(under)) for heading, under in sections if heading.text.endswith("?") and under)


def structured_data_problems(kind: str, data: Mapping[str, object]) -> tuple[str, ...]:
    """What keeps a search engine from reading ``data``; empty where nothing does."""
    if data.get("@context") != CONTEXT:
        return (f"the structured data lacks @context {CONTEXT}",)
    nodes = list(_nodes(data))
    wanted = _TYPE_OF_KIND[kind]
    missing = (
        () if any(node.get("@type") == wanted for node in nodes) else (f"a {kind} page needs a {wanted} in its structured data",)
    )
    markup = ("the structured data contains markup",) if _without_markup(data) != data else ()
    return (*missing, *markup, *(problem for node in nodes for problem in _problems(node)))


def _article(title: str, shop: Shop, published: datetime, now: datetime) -> dict[str, object]:
    organization = {"@type": "Organization", "name": shop.name, "url": shop.site_url}
    dates = {"datePublished": published.date().isoformat(), "dateModified": now.date().isoformat()}
    return {"@type": "Article", "headline": title, "author": organization, "publisher": organization, **dates}


def _product(product: Product, url: str) -> dict[str, object]:
    price = product.price.rounded()
    offer = {
        "@type": "Offer",
        "price": str(price.amount),
        "priceCurrency": price.currency,
        "availability": f"{CONTEXT}/InStock",
        "url": url,
    }
    properties = [{"@type": "PropertyValue", "name": name, "value": value} for name, value in product.attributes.items()]
    plain = {"name": product.title, "sku": product.sku, "description": product.description, "category": product.category}
    known = {name: value for name, value in plain.items() if value}
    return {"@type": "Product", **known, "offers": offer, "additionalProperty": properties}


def _faq(questions: Sequence[tuple[str, str]]) -> dict[str, object]:
    entities = [
        {"@type": "Question", "name": question, "acceptedAnswer": {"@type": "Answer", "text": answer}}
        for question, answer in questions
    ]
    return {"@type": "FAQPage", "mainEntity": entities}


def _without_markup(value: Any) -> Any:
    """Angle brackets out of every text: the data stands inside a script element, which they could close."""
    match value:
        case str():
            return _MARKUP.sub("", value)
        case dict():
            return {name: _without_markup(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_without_markup(inner) for inner in value]
    return value


def _nodes(value: Any) -> Iterable[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if "@type" in value:
            yield value
        yield from (node for inner in value.values() for node in _nodes(inner))
    elif isinstance(value, list | tuple):
        yield from (node for inner in value for node in _nodes(inner))


def _problems(node: Mapping[str, Any]) -> Iterable[str]:
    kind = str(node["@type"])
    if kind not in _REQUIRED:
        yield f"the structured data holds a {kind}, which is not used here"
    for name in _REQUIRED.get(kind, ()):
        if node.get(name) in (None, "", [], {}):
            yield f"the structured data's {kind} lacks {name}"
