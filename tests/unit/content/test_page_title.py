"""A page's title comes from one of the policy's templates: filled from facts, within the limits, the same again."""

from collections import Counter
from typing import TypeVar

import pytest
from pydantic import ValidationError

from agents.content_planner import ContentPlanner
from agents.skills.content import Topic
from agents.skills.page_title import PageTitle, chosen_title, title_values
from agents.skills.seo_audit import title_findings
from domain.actions import PublishContent
from domain.choice import unit_of, weighted_choice
from domain.entities import ContentPiece
from domain.knowledge import InForce
from domain.model import Value
from domain.policies import ContentPolicy, Policy
from domain.titles import WRITTEN
from tests.unit.content.shop_shelf import (
    NOW,
    SHOP,
    DefaultPolicies,
    EmptyPacks,
    KnownState,
    LocalWriter,
    product,
    stock,
    written_page,
)
from tests.unit.content.test_content_planner import IGNORED

P = TypeVar("P", bound=Policy)
PRICED, SHOPPED = "{product} for {price}", "{product} from {shop}"
VALUES = {"written": "Moss mug: details", "product": "Moss mug", "price": "19.50 EUR", "shop": "Mill Shop", "care": "by hand " * 8}


class Weighted(DefaultPolicies):
    """A content policy with the given weights in force."""

    def __init__(self, **weights: float) -> None:
        templates = {"priced": PRICED, "shopped": SHOPPED, "written": WRITTEN}
        self._content = ContentPolicy(
            title_templates=tuple(templates.values()), title_weights={templates[name]: weight for name, weight in weights.items()}
        )

    async def in_force(self, policy: type[P]) -> InForce[P]:
        if policy is ContentPolicy:
            return InForce(name="content", version=3, document=policy.model_validate(self._content.model_dump()))
        return await super().in_force(policy)


def planner(policies: Weighted, *entities: Value) -> ContentPlanner:
    return ContentPlanner(
        state=KnownState(SHOP, product(), stock(), *entities), packs=EmptyPacks(), policies=policies, model=LocalWriter()
    )


async def page_of(policies: Weighted) -> ContentPiece:
    topic = Topic(slug="moss-mug", kind="product-guide", sku="MUG", keyword="moss mug", reason="no page")
    written = await planner(policies).write(topic, now=NOW)
    assert written.planned is not None
    assert isinstance(written.planned.action, PublishContent)
    assert not written.findings
    return written.planned.action.piece


def title(policy: ContentPolicy, *, slug: str = "moss-mug", version: int = 1, not_again: str = "") -> PageTitle:
    return chosen_title(VALUES, policy=policy, unit_key=(str(version), slug), keyword="moss mug", not_again=not_again)


async def test_default_is_what_the_writer_wrote() -> None:
    """Without weights each page keeps the title its writer gave it, and says so."""
    piece = await written_page(product(), stock())
    assert (piece.title, piece.title_template) == ("Moss mug: size, material and care", WRITTEN)


async def test_template() -> None:
    """A page whose template has the price shows it in its title and in its structured data, and passes both audits."""
    piece = await page_of(Weighted(priced=1))
    assert (piece.title, piece.title_template) == ("Moss mug for 19.50 EUR", PRICED)
    assert piece.json_ld["@graph"][0]["headline"] == piece.title  # type: ignore[index]


async def test_ignored_title() -> None:
    """A page that is shown and not clicked gets a title from another template; with no other, its writer's."""
    piece = await page_of(Weighted(priced=1))
    for policies, template in ((Weighted(priced=1, shopped=1), SHOPPED), (Weighted(priced=1), WRITTEN)):
        planned = await planner(policies, piece).refresh_or_unpublish("moss-mug", IGNORED, now=NOW)
        assert planned is not None
        assert isinstance(planned.action, PublishContent)
        assert planned.action.piece.title_template == template


@pytest.mark.parametrize("template", ["{product}: {material}", "{product}: {care}", "{product}"])
def test_titles_that_do_not_fit(template: str) -> None:
    """A template with an unknown fact, or with a title too long or too short, is not used; the written title is."""
    policy = ContentPolicy(title_templates=(template, WRITTEN), title_weights={template: 1})
    assert title(policy) == PageTitle(text="Moss mug: details", template=WRITTEN)


def test_as_often_as_the_policy_says() -> None:
    """Over many pages each template gets its share, one page always the same, and another version chooses anew."""
    policy = ContentPolicy(title_weights={WRITTEN: 1, PRICED: 3})
    pages = [f"page-{n}" for n in range(1_000)]
    first = [title(policy, slug=slug).template for slug in pages]
    assert Counter(first)[PRICED] == pytest.approx(750, abs=50)
    assert first == [title(policy, slug=slug).template for slug in pages]
    assert first != [title(policy, slug=slug, version=2).template for slug in pages]


def test_values() -> None:
    """Fields are the product's facts by name; a name in capitals is written as a name."""
    facts = {
        "product/MUG#title": "MOSS MUG",
        "product/MUG#Burn time": "40 h",
        "shop/self#name": "Mill Shop",
        "product/X#price": "1 EUR",
    }
    expected = {"title": "MOSS MUG", "burn_time": "40 h", "written": "W", "product": "Moss mug", "shop": "Mill Shop"}
    assert title_values(facts, "MUG", written="W") == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"title_templates": ("Buy now",)},
        {"title_templates": ("{product.__class__}",)},
        {"title_templates": ("{product} {0}",)},
        {"title_templates": ("{price}",)},
        {"title_templates": ()},
        {"title_weights": {"{product} elsewhere": 1}},
        {"title_weights": {WRITTEN: -1}},
    ],
)
def test_policies_that_are_refused(wrong: dict[str, object]) -> None:
    """A template must name the product with known kinds of fields, and weights belong to templates."""
    with pytest.raises(ValidationError):
        ContentPolicy.model_validate(wrong)


def test_title_findings() -> None:
    """A title is judged on its length and on naming what people search for."""
    assert {finding.code for finding in title_findings("Cup", "moss mug")} == {"title-length", "keyword-missing"}
    assert title_findings("Moss mug for 19.50 EUR", "moss mug") == ()


def test_weighted_choice() -> None:
    """Nothing is chosen that weighs nothing, at either end of the interval; hashed numbers fill it evenly."""
    assert [weighted_choice([0, 1, 3, 0], unit) for unit in (0.0, 0.24, 0.26, 1 - 2**-53)] == [1, 1, 2, 2]
    with pytest.raises(ValueError, match="no weight"):
        weighted_choice([0, 0], 0.5)
    units = [unit_of("x", str(n)) for n in range(2_000)]
    assert 0 <= min(units) < 0.01 < 0.99 < max(units) < 1
    assert sum(units) / len(units) == pytest.approx(0.5, abs=0.02)
