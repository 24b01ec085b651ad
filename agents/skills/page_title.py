"""Which title a page gets: one of the policy's templates, chosen by hash, filled from facts. Pure."""

import re
from collections.abc import Mapping

from agents.skills.seo_audit import title_findings
from domain.choice import unit_of, weighted_choice
from domain.model import Value
from domain.policies import ContentPolicy
from domain.titles import WRITTEN, filled


class PageTitle(Value):
    text: str
    template: str


def title_values(facts: Mapping[str, str], sku: str, *, written: str) -> dict[str, str]:
    """What the fields of a template stand for: the product's facts by name, and ``written``, ``product`` and ``shop``."""
    own = f"product/{sku}#"
    known = {_field(ref.removeprefix(own)): value for ref, value in facts.items() if ref.startswith(own)}
    product, shop = known.get("title", ""), facts.get("shop/self#name", "")
    named = {"written": written, "product": product.capitalize() if product.isupper() else product, "shop": shop}
    return {name: " ".join(value.split()) for name, value in {**known, **named}.items()}


def chosen_title(
    values: Mapping[str, str], *, policy: ContentPolicy, unit_key: tuple[str, str], keyword: str, not_again: str
) -> PageTitle:
    """One of the titles that the search engine audit has nothing against, as often as the policy says; else the written one.

    ``unit_key``, the policy's version and the page's slug, makes the choice repeatable. ``not_again`` is a template that
    this page has tried in vain.
    """
    written = PageTitle(text=values["written"], template=WRITTEN)
    shares = {
        title: share
        for template, share in zip(policy.title_templates, policy.title_shares, strict=True)
        if share and template != not_again and (title := _fitting(template, values, keyword, written))
    }
    if not shares:
        return written
    return list(shares)[weighted_choice(list(shares.values()), unit_of("title", *unit_key))]


def _fitting(template: str, values: Mapping[str, str], keyword: str, written: PageTitle) -> PageTitle | None:
    if template == WRITTEN:
        return written
    text = filled(template, values)
    return PageTitle(text=text, template=template) if text and not title_findings(text, keyword) else None


def _field(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
