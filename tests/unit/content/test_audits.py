"""The audits let a sound page through and name what is wrong with any other."""

from collections.abc import Iterable
from typing import Any

import pytest

from agents.skills.fact_audit import fact_audit
from agents.skills.schema_org import following
from agents.skills.seo_audit import keyword_density, seo_audit, similarity
from domain.decisions import Finding, Severity
from domain.entities import ContentPiece
from domain.policies import ContentPolicy
from tests.unit.content.shop_shelf import SHOP, product, stock, written_page


@pytest.fixture
async def page() -> ContentPiece:
    return await written_page(product(), stock())


def seo(piece: ContentPiece, *others: ContentPiece) -> tuple[Finding, ...]:
    return seo_audit(piece, policy=ContentPolicy(), site_url=SHOP.site_url, others=others)


def facts(piece: ContentPiece) -> tuple[Finding, ...]:
    return fact_audit(piece, wording=(product().description,))


def codes(findings: Iterable[Finding]) -> set[str]:
    return {finding.code for finding in findings}


def _graph(piece: ContentPiece) -> list[Any]:
    graph = piece.json_ld["@graph"]
    assert isinstance(graph, list)
    return graph


def saying(piece: ContentPiece, sentence: str) -> ContentPiece:
    return piece.model_copy(update={"body": f"{piece.body}\n\n{sentence}\n"})


async def test_sound_page(page: ContentPiece) -> None:
    """A page from facts passes both audits."""
    assert (seo(page), facts(page)) == ((), ())


@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        ("It is 10 cm high.", "figure-without-fact"),
        ("It costs 18.50 EUR today.", "figure-without-fact"),
        ("It costs 19.50 USD.", "figure-without-fact"),
        ("Made of 30 % clay.", "figure-without-fact"),
        ("See model X200.", "figure-without-fact"),
        ("It is the best mug.", "superlative-without-fact"),
        ("Tea from it cures a cold.", "health-claim-without-fact"),
        ("It comes with a lifetime warranty.", "guarantee-without-fact"),
        ("It is microwave safe.", "property-without-fact"),
        ("It is not dishwasher safe.", "property-without-fact"),
        ("The handle is oak.", "material-without-fact"),
    ],
)
async def test_claims_without_facts(page: ContentPiece, sentence: str, code: str) -> None:
    """A figure, a superlative, a promise or a property that no fact carries is found, one at a time."""
    assert codes(facts(saying(page, sentence))) == {code}


async def test_the_name_of_another_page_is_no_claim(page: ContentPiece) -> None:
    """A line that is nothing but its title points there; the same words in a sentence of this page are a claim."""
    pointing, other = saying(page, "- [Oak chopping board](/oak-board)"), "Oak chopping board"
    assert fact_audit(pointing, wording=(product().description,), titles=(other,)) == ()
    assert codes(fact_audit(pointing, wording=(product().description,))) == {"material-without-fact"}
    claiming = saying(page, "It is an oak chopping board.")
    assert codes(fact_audit(claiming, wording=(product().description,), titles=(other,))) == {"material-without-fact"}


async def test_wrong_figures_block(page: ContentPiece) -> None:
    """A wrong figure must not appear; a bold word only makes a human look."""
    assert facts(saying(page, "It is 10 cm high."))[0].severity is Severity.BLOCK
    assert facts(saying(page, "It is the best mug."))[0].severity is Severity.HOLD


async def test_denied_property(page: ContentPiece) -> None:
    """A fact that denies a property supports the denial and not the claim."""
    denying = page.model_copy(update={"facts": {**page.facts, "product/MUG#oven": "not oven safe"}})
    assert codes(facts(saying(denying, "It is oven safe."))) == {"property-without-fact"}
    assert facts(saying(denying, "It is not oven safe.")) == ()


async def test_price_in_structured_data(page: ContentPiece) -> None:
    """The price that a search engine reads is audited too."""
    text = page.model_dump_json().replace('"price":"19.50"', '"price":"9.50"')
    assert codes(facts(ContentPiece.model_validate_json(text))) == {"figure-without-fact"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"title": "Moss mug"}, "title-length"),
        ({"title": "A guide to something else entirely"}, "keyword-missing"),
        ({"description": "Short."}, "description-length"),
        ({"body": "# About it\n\nToo short to help anybody."}, "too-short"),
        ({"json_ld": {}}, "structured-data"),
        ({"json_ld": {"@context": "https://schema.org", "@type": "Product", "name": "</script>"}}, "structured-data"),
        ({"json_ld": {"@context": "https://schema.org", "@graph": [{"@type": "Product", "name": "Mug"}]}}, "structured-data"),
    ],
)
async def test_bad_form(page: ContentPiece, change: dict[str, object], code: str) -> None:
    """Each formal fault is named by its own code."""
    assert codes(seo(page.model_copy(update=change))) == {code}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("# Another main heading", "one-h1"),
        ("##### Too deep", "heading-order"),
        ("Look at [this](https://evil.example/).", "foreign-link"),
        ("Look at www.evil.example/mug today.", "foreign-link"),
        ("![x](//evil.example/pixel.png)", "foreign-link"),
        ("Click [here](javascript:alert(1)).", "foreign-link"),
        ("Look [here](https://mill.example@evil.example/).", "foreign-link"),
        ("Or write to eve@evil.example instead.", "foreign-mail-address"),
        ("<script>alert(1)</script>", "raw-html"),
        ("{{ site.secret }}", "template-code"),
        ("{% include x %}", "template-code"),
        ("Moss mug. " * 12, "keyword-stuffing"),
        ("Incontrovertible organisational responsibilities necessitate interdisciplinary documentation. " * 20, "hard-to-read"),
    ],
)
async def test_bad_content(page: ContentPiece, text: str, code: str) -> None:
    """Foreign links, raw HTML, stuffing and hard prose are found wherever they stand."""
    assert code in codes(seo(saying(page, text)))


@pytest.mark.parametrize("link", ["/other/", "https://mill.example/other/", "mailto:hello@mill.example", "#care"])
async def test_own_links(page: ContentPiece, link: str) -> None:
    """Links to the shop's own site and its own address are fine."""
    assert seo(saying(page, f"Look at [this]({link}).")) == ()


async def test_structured_data_follows_an_edit(page: ContentPiece) -> None:
    """The headline is the title and the answers are those of the text; a page as it was written stays as it is."""
    assert following(page) == page
    edited = page.model_copy(
        update={"title": "Moss mugs <b>for tea", "body": f"{page.body}\n\n## Is it heavy?\n\nIt weighs 380 g.\n"}
    )
    article, *_, answers = _graph(following(edited))
    assert article["headline"] == "Moss mugs for tea"
    assert answers["mainEntity"][-1]["name"] == "Is it heavy?"
    assert "FAQPage" not in [node["@type"] for node in _graph(following(page.model_copy(update={"body": "# Moss mug"})))]


async def test_a_page_without_structured_data_gets_none(page: ContentPiece) -> None:
    """A program may propose one."""
    assert following(page.model_copy(update={"json_ld": {}})).json_ld == {}


async def test_near_duplicate(page: ContentPiece) -> None:
    """The same text under another slug is blocked; a page is no duplicate of itself."""
    copy = page.model_copy(update={"slug": "other"})
    assert codes(seo(page, copy)) == {"near-duplicate"}
    assert seo(page, page) == ()


def test_similarity() -> None:
    """Equal texts are 1, texts without a shared run of five words 0, and half a text lies between."""
    text = "one two three four five six seven eight nine ten"
    assert similarity(text, text) == 1
    assert similarity(text, "ten nine eight seven six five four") == 0
    assert 0 < similarity(text, "one two three four five six") < 1


def test_keyword_density() -> None:
    """Density is occurrences of the whole phrase by words."""
    assert keyword_density("A moss mug is a mug. Moss Mug!", "moss mug") == 2 / 8
