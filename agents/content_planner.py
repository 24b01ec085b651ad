"""The Planner of pages: what to write about, the page itself, and what becomes of it. It can publish nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agents.skills.content import (
    LOOKING_BACK,
    MOST_REVISIONS,
    Shelf,
    Topic,
    clearly_ignored,
    published,
    questions_by_sku,
    ranked_topics,
    refreshed_topic,
    sellable,
)
from agents.skills.grounding import Facts, facts_of_policy, facts_of_shop, product_facts
from agents.skills.page_brief import Brief, audited, question_of
from domain.actions import PublishContent, UnpublishContent
from domain.context import ContextRequest
from domain.decisions import Finding, Planned, Severity, Verdict, Why
from domain.entities import ContentMetrics, ContentPiece, ContentStatus, Product, Shop, Stock, Ticket
from domain.errors import NotFound
from domain.model import Value
from domain.policies import ContentPolicy, PromptPolicy, SupportPolicy
from domain.ports import ContextPacks, Model, Policies, State
from domain.tasks import Answer, ContentDraft
from domain.wording import counted

ATTEMPTS = 2
_NEVER_ON_A_PAGE = frozenset({"shop/self#signature"})


class Written(Value):
    """A page that may be proposed, or none; ``findings`` say what the audits saw."""

    planned: Planned | None
    findings: tuple[Finding, ...] = ()
    attempts: int = 0


@dataclass(frozen=True, kw_only=True)
class Drafted:
    """A draft as the piece it would become, if it can become one, and what the audits say about it."""

    piece: ContentPiece | None
    answer: Answer[ContentDraft]
    verdict: Verdict


class ContentPlanner:
    def __init__(self, *, state: State, packs: ContextPacks, policies: Policies, model: Model) -> None:
        self._state = state
        self._packs = packs
        self._policies = policies
        self._model = model

    async def topics(self, *, now: datetime) -> tuple[Topic, ...]:
        """Every topic worth a page, best first, each with its reason."""
        policy = (await self._policies.in_force(ContentPolicy)).document
        rows = await self._state.sales(since=(now - LOOKING_BACK).date(), until=now.date())
        sold: dict[str, int] = {}
        for row in rows:
            sold[row.sku] = sold.get(row.sku, 0) + row.units
        shelf = Shelf(
            products=await self._state.find(Product),
            stock={stock.sku: stock for stock in await self._state.find(Stock)},
            pieces=await self._state.find(ContentPiece),
            tickets=await self._state.find(Ticket),
            sold=sold,
        )
        return ranked_topics(shelf, policy=policy, now=now)

    async def write(self, topic: Topic, *, now: datetime, run_id: str = "") -> Written:
        """The page for ``topic``, drafted, audited, and once more where the audits found something to mend.

        What must not happen is not proposed; what a human should look at is proposed with that wish. Raises NotFound.
        """
        if not sellable(await self._state.get(Product, topic.sku), await self._state.get(Stock, topic.sku)):
            return Written(planned=None, findings=(_block("not-sellable", f"{topic.sku} is retired or not in stock"),))
        return await self._written(await self._brief(topic, now, run_id))

    async def refresh_or_unpublish(
        self, slug: str, metrics: Sequence[ContentMetrics], *, now: datetime, run_id: str = ""
    ) -> Planned | None:
        """What a measured page needs: a new revision, being taken down, or nothing.

        A page is written anew when its facts have changed, or when it is shown but clearly not clicked. Where only its product's
        picture has, the next revision says the same words, and no model is asked.
        It is taken down when its product is retired, or when the last revision was ignored too; then a human is asked.
        """
        piece = await self._state.get(ContentPiece, slug)
        if piece is None or piece.status is not ContentStatus.PUBLISHED or not piece.skus:
            return None
        product = await self._state.get(Product, piece.skus[0])
        if product is None or not product.active:
            return _take_down(piece, "its product is not sold any more")
        if not sellable(product, await self._state.get(Stock, product.sku)):
            return None
        shown = _of_this_revision(piece, metrics)
        ignored = clearly_ignored(shown)
        reason = await self._changed_facts(piece, product) or (_ignored(shown) if ignored else "")
        if not reason:
            return _picture_anew(piece, product) if piece.picture != product.picture else None
        if piece.revision >= MOST_REVISIONS and ignored:
            return _take_down(piece, f"{piece.revision} revisions were shown and hardly clicked")
        asked = questions_by_sku(await self._state.find(Product), await self._state.find(Ticket), now=now)
        topic = refreshed_topic(piece, product, asked.get(product.sku, ()), reason=reason, ignored=ignored)
        return (await self._written(await self._brief(topic, now, run_id))).planned

    async def _changed_facts(self, piece: ContentPiece, product: Product) -> str:
        facts = await self._facts(product, await self._shop())
        changed = sorted(ref for ref, value in piece.facts.items() if facts.get(ref) != value)
        return f"the facts behind the page changed: {', '.join(changed)}" if changed else ""

    async def _shop(self) -> Shop:
        shop = await self._state.get(Shop, "self")
        if shop is None:
            raise NotFound("the shop has no name yet", hint="describe the shop before pages are written")
        return shop

    async def _facts(self, product: Product, shop: Shop) -> Facts:
        support = (await self._policies.in_force(SupportPolicy)).document
        facts = {**await product_facts(product, self._state), **facts_of_shop(shop), **facts_of_policy(support)}
        return {ref: value for ref, value in facts.items() if ref not in _NEVER_ON_A_PAGE}

    async def _brief(self, topic: Topic, now: datetime, run_id: str) -> Brief:
        shop, product = await self._shop(), await self._state.get(Product, topic.sku)
        if product is None:
            raise NotFound(f"there is no product {topic.sku}", hint="import the catalogue")
        policy = await self._policies.of(run_id).in_force(ContentPolicy)
        request = ContextRequest(
            policies=("content", "support"),
            streams=(f"product/{product.sku}", "shop/self"),
            query=product.title,
            topic=topic.kind,
            as_of=now,
        )
        return Brief(
            topic=topic,
            product=product,
            shop=shop,
            facts=await self._facts(product, shop),
            pack=await self._packs.compile(request),
            policy=policy.document,
            policy_version=policy.version,
            prompts=await self._policies.of(run_id).in_force(PromptPolicy),
            others=published(await self._state.find(ContentPiece)),
            previous=await self._state.get(ContentPiece, topic.slug),
            now=now,
        )

    async def _written(self, brief: Brief) -> Written:
        drafted = await self._drafted(brief, findings=())
        attempts = 1
        while not drafted.verdict.passed and attempts < ATTEMPTS:
            again = await self._drafted(brief, findings=drafted.verdict.findings)
            attempts += 1
            if again.piece == drafted.piece:
                break
            drafted = again
        findings, piece = drafted.verdict.findings, drafted.piece
        if piece is None or drafted.verdict.severity is Severity.BLOCK:
            return Written(planned=None, findings=findings, attempts=attempts)
        if _says_nothing_new(piece, brief.previous):
            nothing_new = _block("nothing-new", "the page would say what it says now")
            return Written(planned=None, findings=(*findings, nothing_new), attempts=attempts)
        return Written(planned=_publish(piece, drafted, brief), findings=findings, attempts=attempts)

    async def _drafted(self, brief: Brief, *, findings: Sequence[Finding]) -> Drafted:
        answer = await self._model.answer(question_of(brief, findings))
        piece, verdict = audited(brief, answer.value)
        return Drafted(piece=piece, answer=answer, verdict=verdict)


def _publish(piece: ContentPiece, drafted: Drafted, brief: Brief) -> Planned:
    answer, held = drafted.answer, "; ".join(finding.text for finding in drafted.verdict.findings)
    return Planned(
        step=f"publish/{piece.slug}/{piece.revision}",
        action=PublishContent(piece=piece),
        why=Why(
            reason=brief.topic.reason,
            confidence=answer.confidence,
            engine=answer.engine,
            facts=brief.facts,
            context_pack=brief.pack.hash,
            topic=brief.topic.kind,
            force_ask=held,
        ),
    )


def _picture_anew(piece: ContentPiece, product: Product) -> Planned:
    """The page as it is with the picture that its product has now, or with none."""
    changes = {"picture": product.picture, "revision": piece.revision + 1, "published_at": None, "metrics": (), "titles": ()}
    anew = piece.model_copy(update=changes)
    why = Why(reason=f"the picture of {product.title} changed", facts=piece.facts, topic=piece.kind)
    return Planned(step=f"publish/{anew.slug}/{anew.revision}", action=PublishContent(piece=anew), why=why)


def _take_down(piece: ContentPiece, reason: str) -> Planned:
    return Planned(
        step=f"unpublish/{piece.slug}/{piece.revision}",
        action=UnpublishContent(slug=piece.slug, reason=reason),
        why=Why(reason=reason, force_ask="taking a page down is the owner's decision"),
    )


def _says_nothing_new(piece: ContentPiece, previous: ContentPiece | None) -> bool:
    if previous is None or previous.status is not ContentStatus.PUBLISHED:
        return False
    return (piece.title, piece.description, piece.body, piece.facts, piece.picture) == (
        previous.title,
        previous.description,
        previous.body,
        previous.facts,
        previous.picture,
    )


def _of_this_revision(piece: ContentPiece, metrics: Sequence[ContentMetrics]) -> Sequence[ContentMetrics]:
    """What earlier revisions were clicked says nothing about this one."""
    if piece.revision == 1 or piece.published_at is None:
        return metrics
    return [m for m in metrics if m.day > piece.published_at.date()]


def _ignored(metrics: Sequence[ContentMetrics]) -> str:
    shown, clicks = sum(m.impressions for m in metrics), sum(m.clicks for m in metrics)
    return f"the page was shown {counted(shown, 'time')} and clicked {counted(clicks, 'time')}"


def _block(code: str, text: str) -> Finding:
    return Finding(code=code, severity=Severity.BLOCK, text=text)
