"""From a brief to a question, and from a draft to a page. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from agents.prompting import prompt_of
from agents.skills.content import Topic
from agents.skills.fact_audit import fact_audit
from agents.skills.grounding import Facts
from agents.skills.page_title import PageTitle, chosen_title, title_values
from agents.skills.schema_org import page_url, structured_data
from agents.skills.seo_audit import seo_audit
from domain.context import ContextPack, Section
from domain.decisions import Finding, Severity, Verdict
from domain.entities import ContentPiece, ContentStatus, Product, Shop
from domain.knowledge import InForce
from domain.policies import ContentPolicy, PromptPolicy
from domain.tasks import CONTENT, ContentDraft, Question

_LINKS = 3


@dataclass(frozen=True, kw_only=True)
class Brief:
    """Everything a page may be written from. ``previous`` is what stands, or stood, under the slug."""

    topic: Topic
    product: Product
    shop: Shop
    facts: Facts
    pack: ContextPack
    policy: ContentPolicy
    policy_version: int
    prompts: InForce[PromptPolicy]
    others: Sequence[ContentPiece]
    previous: ContentPiece | None
    now: datetime

    @property
    def revision(self) -> int:
        return self.previous.revision + 1 if self.previous else 1


def question_of(brief: Brief, findings: Sequence[Finding]) -> Question[ContentDraft]:
    """The question to a model; ``findings`` are what was held against its last draft."""
    topic, previous = brief.topic, brief.previous
    trusted: dict[str, Any] = {
        "kind": topic.kind,
        "sku": topic.sku,
        "keyword": topic.keyword,
        "reason": topic.reason,
        "facts": brief.facts,
        "description": brief.product.description,
        "asked": list(topic.asked),
        "minimum_words": brief.policy.minimum_words,
        "revision": brief.revision,
        "links": _links(brief),
        "lessons": [str(item.body.get("text", "")) for item in brief.pack.items(Section.LESSONS)],
        "findings": [finding.text for finding in findings],
        "previous": previous.body if previous and previous.status is ContentStatus.PUBLISHED else "",
    }
    untrusted = {f"question-{n}": text for n, text in enumerate(topic.questions, start=1)}
    return Question(
        task=CONTENT,
        trusted=trusted,
        untrusted=untrusted,
        context_pack=brief.pack.hash,
        prompt=prompt_of(CONTENT, brief.prompts.document),
        prompt_version=brief.prompts.version,
        asked_at=brief.now,
    )


def piece_of(brief: Brief, draft: ContentDraft) -> ContentPiece:
    """The page that ``draft`` would become. Raises pydantic's ValidationError where it is no page at all."""
    topic, previous = brief.topic, brief.previous
    first = previous.published_at if previous and previous.published_at else brief.now
    title = _title(brief, draft)
    data = structured_data(
        kind=topic.kind,
        title=title.text,
        body=draft.body,
        product=brief.product,
        shop=brief.shop,
        slug=topic.slug,
        published=first,
        now=brief.now,
    )
    return ContentPiece(
        slug=topic.slug,
        kind=topic.kind,
        title=title.text,
        title_template=title.template,
        description=draft.description,
        body=draft.body,
        keyword=topic.keyword,
        skus=(topic.sku,),
        facts=brief.facts,
        json_ld=data,
        revision=brief.revision,
        picture=brief.product.picture,
    )


def audited(brief: Brief, draft: ContentDraft) -> tuple[ContentPiece | None, Verdict]:
    """The page that ``draft`` would become, if it can become one, and what the audits say about it."""
    try:
        piece = piece_of(brief, draft)
    except ValidationError as error:
        return None, Verdict(findings=(Finding(code="no-page", severity=Severity.BLOCK, text=f"the draft is no page: {error}"),))
    found = (
        *seo_audit(piece, policy=brief.policy, site_url=brief.shop.site_url, others=brief.others),
        *fact_audit(piece, wording=(brief.product.description,), titles=[other.title for other in brief.others]),
    )
    return piece, Verdict(findings=found)


def _title(brief: Brief, draft: ContentDraft) -> PageTitle:
    return chosen_title(
        title_values(brief.facts, brief.product.sku, written=draft.title),
        policy=brief.policy,
        unit_key=(str(brief.policy_version), brief.topic.slug),
        keyword=brief.topic.keyword,
        not_again=brief.topic.ignored_title,
    )


def _links(brief: Brief) -> list[dict[str, str]]:
    """Other pages of the shop, those about the same product first."""
    others = [piece for piece in brief.others if piece.slug != brief.topic.slug]
    near = sorted(others, key=lambda piece: (brief.product.sku not in piece.skus, piece.slug))
    return [{"title": piece.title, "url": page_url(brief.shop.site_url, piece.slug)} for piece in near[:_LINKS]]
