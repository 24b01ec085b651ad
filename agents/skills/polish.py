"""A reply in a model's words: what the model is asked, and what of its answer may be taken. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agents.audit.reply_text import text_findings
from agents.prompting import prompt_of
from agents.skills.grounding import Facts
from domain.entities import Shop
from domain.knowledge import InForce
from domain.policies import PromptPolicy
from domain.tasks import REPLY, Question, ReplyDraft


@dataclass(frozen=True, kw_only=True)
class Polish:
    """``draft`` is a correct letter; ``message`` is what the customer wrote."""

    draft: str
    facts: Facts
    message: str
    shop: Shop
    lessons: Sequence[str] = ()

    def question(self, prompts: InForce[PromptPolicy], *, now: datetime, context_pack: str = "") -> Question[ReplyDraft]:
        return Question(
            task=REPLY,
            trusted={"draft": self.draft, "facts": self.facts, "lessons": list(self.lessons)},
            untrusted={"message": self.message},
            context_pack=context_pack,
            prompt=prompt_of(REPLY, prompts.document),
            prompt_version=prompts.version,
            asked_at=now,
        )

    def taken(self, answer: ReplyDraft) -> str:
        """The model's wording where it keeps the frame and the facts, else the draft."""
        text = answer.body.strip()
        framed = text.startswith(self.draft.split("\n", 1)[0]) and text.endswith(self.shop.signature.strip())
        findings = text_findings(text, facts=self.facts, templates=(self.draft,), mails=(), site_url=self.shop.site_url)
        return text if framed and not findings else self.draft
