"""A past text's question asked again with another prompt, and what the planner would take of the answer. Pure.

Lessons are left out on both sides: they quote the very texts that are compared.
"""

from dataclasses import dataclass
from typing import Any

from agents.skills.content import Topic
from agents.skills.page_brief import Brief, audited, question_of
from agents.skills.polish import Polish
from domain.context import ContextPack
from domain.entities import Shop
from domain.knowledge import InForce
from domain.policies import ContentPolicy, PromptPolicy
from domain.tasks import ContentDraft, Question, ReplyDraft
from learning.picture import Picture
from learning.worded import Worded, WordedLetter, WordedPage, page_text


@dataclass(frozen=True)
class WordingAgain:
    picture: Picture
    shop: Shop

    def question(self, worded: Worded, prompts: InForce[PromptPolicy]) -> Question[Any] | None:
        """None where what it was worded from is not there any more."""
        match worded:
            case WordedLetter():
                return self._polish(worded).question(prompts, now=self.picture.now)
            case WordedPage() if brief := self._brief(worded, prompts):
                return question_of(brief, ())
        return None

    def taken(self, worded: Worded, answer: object) -> str:
        """The text as it would be shown: a letter falls back to its draft, a page that fails its audits is none."""
        match worded, answer:
            case WordedLetter(), ReplyDraft():
                return worded.bare(self._polish(worded).taken(answer))
            case WordedPage(), ContentDraft() if brief := self._brief(worded, self.picture.in_force(PromptPolicy)):
                _, verdict = audited(brief, answer)
                return page_text(answer.description, answer.body) if verdict.passed else ""
        return ""

    def _polish(self, letter: WordedLetter) -> Polish:
        return Polish(draft=letter.draft, facts=dict(letter.facts), message=letter.message, shop=self.shop)

    def _brief(self, page: WordedPage, prompts: InForce[PromptPolicy]) -> Brief | None:
        piece, policy = page.piece, self.picture.in_force(ContentPolicy)
        product = next((p for p in self.picture.observed.products if p.sku == piece.skus[0]), None)
        if product is None:
            return None
        return Brief(
            topic=Topic(slug=piece.slug, kind=piece.kind, sku=product.sku, keyword=piece.keyword, reason=page.reason),
            product=product,
            shop=self.shop,
            facts=piece.facts,
            pack=ContextPack(sections={}),
            policy=policy.document,
            policy_version=policy.version,
            prompts=prompts,
            others=(),
            previous=None,
            now=self.picture.now,
        )
