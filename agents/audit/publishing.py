"""Invariants of pages: every figure traced to a fact that is true now, nothing about what cannot be bought."""

from collections.abc import AsyncIterator

from agents.audit.figures import unsupported
from agents.audit.findings import block, hold
from agents.skills.grounding import FactReader
from agents.skills.message_text import visible
from domain.actions import PublishContent, UnpublishContent
from domain.decisions import Finding
from domain.entities import ContentPiece, ContentStatus, Product, Stock
from domain.ports import Policies, State


class PublishingAudit:
    def __init__(self, *, state: State, policies: Policies) -> None:
        self._state = state
        self._policies = policies

    async def publish(self, action: PublishContent) -> AsyncIterator[Finding]:
        piece = action.piece
        for name, text in (("title", piece.title), ("text", piece.body)):
            if not visible(text).strip():
                yield block("nothing-written", f"the page has no {name}")
        for sku in piece.skus:
            async for finding in self._sellable(sku):
                yield finding
        reader = FactReader(state=self._state, policies=self._policies)
        for ref, value in (await reader.differing(piece.facts)).items():
            yield block("fact-changed", f"{ref} is {value or 'not known'}, the page says {piece.facts[ref]}")
        text = f"{piece.title}\n{piece.description}\n{piece.body}"
        for figure in sorted(unsupported(text, (*piece.facts.values(), *piece.facts))):
            yield hold("figure-without-fact", f"{figure!r} stands in no fact")
        known = await self._state.get(ContentPiece, piece.slug)
        if known and known.status is ContentStatus.PUBLISHED and piece.revision == known.revision and piece.body != known.body:
            yield block("revision-taken", f"revision {piece.revision} of {piece.slug} is published with another text")

    async def unpublish(self, action: UnpublishContent) -> AsyncIterator[Finding]:
        known = await self._state.get(ContentPiece, action.slug)
        if known is None or known.status is not ContentStatus.PUBLISHED:
            yield block("not-published", f"there is no published page {action.slug}")

    async def _sellable(self, sku: str) -> AsyncIterator[Finding]:
        product, stock = await self._state.get(Product, sku), await self._state.get(Stock, sku)
        if product is None:
            yield block("product-unknown", f"there is no product {sku}")
        elif not product.active:
            yield block("product-retired", f"{sku} is not sold any more")
        elif stock is None or stock.on_hand - stock.reserved <= 0:
            yield block("out-of-stock", f"{sku} is not in stock")
