"""The local engine writes pages that a shop owner can use, for every product of the demo shop."""

import pytest

from agents.skills.page_text import page_text
from agents.skills.seo_audit import similarity
from demo.shop import catalogue
from domain.decisions import Verdict
from domain.entities import Product
from domain.tasks import CONTENT, Question
from models.local.content import draft
from models.local.content_words import thing_named
from tests.unit.content.shop_shelf import NOW, planner, product, stock, ticket, written_page


@pytest.mark.parametrize("thing", catalogue().values(), ids=lambda p: p.sku)
@pytest.mark.parametrize("asked", [False, True], ids=["guide", "faq"])
async def test_whole_catalogue(thing: Product, asked: bool) -> None:
    """Both kinds of page pass both audits at the first attempt."""
    tickets = [ticket(n, f"How big is the {thing.title}?") for n in range(3)] if asked else []
    at_work = planner(thing, stock(thing.sku), *tickets)
    topic = (await at_work.topics(now=NOW))[0]
    written = await at_work.write(topic, now=NOW)
    assert topic.kind == ("faq" if asked else "product-guide")
    assert (Verdict(findings=written.findings).passed, written.attempts) == (True, 1)


async def test_same_facts_same_page() -> None:
    """The same question gives the same page; like products get pages that differ."""
    first, again = await written_page(product(), stock()), await written_page(product(), stock())
    other = await written_page(product("CUP", "Sand cup", description="A cup with a thin rim."), stock("CUP"))
    assert first == again
    assert similarity(page_text(first.body).text, page_text(other.body).text) < 0.6


@pytest.mark.parametrize(
    ("title", "short", "plural"),
    [
        ("Linen napkins, set of four", "linen napkins", True),
        ("Long matches in a jar", "long matches", True),
        ("Peg rail with five hooks", "peg rail", False),
        ("The Drinking glass", "drinking glass", False),
        ("OAK BOARD", "oak board", False),
        ("Oak Chopping Board", "Oak Chopping Board", False),
        ("USB lamp", "USB lamp", False),
    ],
)
def test_how_a_thing_is_called(title: str, short: str, plural: bool) -> None:
    """The name within a sentence, and whether it is one or many."""
    thing = thing_named(title)
    assert (thing.short, thing.plural) == (short, plural)


async def test_markup_in_the_catalogue() -> None:
    """Markup in a title, a description or an attribute is shown as text, and stays out of the structured data."""
    attributes = {"material": "<i>clay</i>", "care": "wash_me_", "note": "{{ site.secret }}"}
    odd = product(title="Mug *new* [x](y)", description="Wide & <b>heavy</b></script>", attributes=attributes)
    page = await written_page(odd, stock())
    text = page_text(page.body)
    assert "<b>heavy</b></script>" in text.text
    assert "{{ site.secret }}" in text.text
    assert (text.raw_html, text.links) == (False, ())
    assert "<" not in str(page.json_ld)
    assert page.title.startswith("Mug *new* [x](y)")


async def test_few_facts_are_not_stretched() -> None:
    """A product of which little is known gives a short page that a human is asked about, with little confidence."""
    bare = product(description="", attributes={"origin": "Germany"})
    at_work = planner(bare, stock())
    written = await at_work.write((await at_work.topics(now=NOW))[0], now=NOW)
    assert written.planned is not None
    assert "words" in written.planned.why.force_ask
    assert written.planned.why.confidence < 0.4


def test_only_what_was_given() -> None:
    """Without a return policy the page does not speak of returns."""
    facts = {"product/MUG#title": "Mug", "product/MUG#price": "5 EUR", "shop/self#name": "Mill", "shop/self#email": "a@b.example"}
    trusted = {"kind": "product-guide", "sku": "MUG", "facts": facts, "description": "", "asked": [], "links": []}
    body = draft(Question(task=CONTENT, trusted=trusted, untrusted={}, asked_at=NOW)).value.body
    assert "send it back" not in body
    assert "costs 5 EUR" in body
