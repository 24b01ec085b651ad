"""Local first, then a small model, then a large one: each step only where the last was not sure and the day's budget allows.

A remote engine that fails is not the end: the best answer so far stands, and the remote ones rest for a while.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from time import monotonic
from typing import Any, Protocol, TypeVar

import structlog

from domain.errors import EffectError, Retryable
from domain.ids import digest
from domain.model import Value
from domain.policies import RoutingPolicy
from domain.ports import Model, ModelJournal
from domain.tasks import Answer, Question
from models.billed import Billed

T = TypeVar("T", bound=Value)
_log = structlog.get_logger(__name__)
_REST = timedelta(seconds=30)


class PricedModel(Model, Protocol):
    """A model that can say beforehand what an answer costs at most."""

    model: str

    def estimate(self, question: Question[Any]) -> Decimal: ...


@dataclass(frozen=True, kw_only=True)
class Tiers:
    """The remote engines the routing policy names."""

    small: PricedModel
    large: PricedModel


class RoutedModel:
    """The model everybody uses. Remote answers are remembered in the journal and never asked for twice.

    ``routing`` gives the policy of a run, ``daily_budget`` dollars.
    """

    def __init__(
        self,
        *,
        local: Model,
        remote: Callable[[RoutingPolicy], Tiers] | None,
        routing: Callable[[str], Awaitable[RoutingPolicy]],
        journal: ModelJournal,
        daily_budget: Callable[[], Awaitable[Decimal]],
    ) -> None:
        self._local = local
        self._remote = remote
        self._routing = routing
        self._journal = journal
        self._daily_budget = daily_budget
        self._resting_until = 0.0

    async def answer(self, question: Question[T]) -> Answer[T]:
        """Raises what the local engine raises; remote trouble only costs quality."""
        key = cache_key(question)
        if known := await self._journal.recall(key):
            return _remembered(known, question)
        policy = await self._routing(question.run_id)
        best = await self._local.answer(question)
        if self._remote is None or best.confidence >= policy.local_confidence:
            return best
        tiers = self._remote(policy)
        for engine, enough in ((tiers.small, policy.small_confidence), (tiers.large, 0.0)):
            answer = await self._paid(engine, question, key)
            if answer is None:
                break
            best = answer
            if best.confidence >= enough:
                break
        return best

    async def _paid(self, engine: PricedModel, question: Question[T], key: str) -> Answer[T] | None:
        """A remote answer, written down with its cost; None where the budget, a rest or the engine says no."""
        if monotonic() < self._resting_until or not await self._affordable(engine, question):
            return None
        try:
            answer = await engine.answer(question)
        except EffectError as error:
            self._rest(error)
            _log.warning("remote model failed", model=engine.model, task=question.task.name, error=str(error))
            await self._count(error, engine, question, key)
            return None
        record = {"value": answer.value.model_dump(mode="json"), "confidence": answer.confidence}
        record |= {"engine": answer.engine, "model": answer.model, "prompt": f"{question.task.prompt}@{question.prompt_version}"}
        await self._journal.record(key, record, cost=answer.cost, engine=answer.engine, model=answer.model, at=question.asked_at)
        return answer

    async def _count(self, error: EffectError, engine: PricedModel, question: Question[Any], key: str) -> None:
        """What an unusable answer cost counts against the day; nobody recalls it by this key."""
        if isinstance(error, Billed) and error.cost:
            record = {"error": str(error)}
            await self._journal.record(
                f"failed/{key}", record, cost=error.cost, engine="remote", model=engine.model, at=question.asked_at
            )

    async def _affordable(self, engine: PricedModel, question: Question[T]) -> bool:
        spent = Decimal(await self._journal.spent(question.asked_at.date()))
        fits = spent + engine.estimate(question) <= await self._daily_budget()
        if not fits:
            _log.info("the day's model budget is used up", model=engine.model, task=question.task.name, spent=str(spent))
        return fits

    def _rest(self, error: EffectError) -> None:
        """After trouble that may pass, the next questions are answered locally for a while instead of waiting again."""
        if isinstance(error, Retryable):
            self._resting_until = monotonic() + (error.retry_after or _REST).total_seconds()


def cache_key(question: Question[Any]) -> str:
    """The same question in the same words about the same facts has the same key."""
    task = question.task
    return digest([task.name, task.version, digest(question.prompt), question.context_pack, question.trusted, question.untrusted])


def _remembered(known: dict[str, Any], question: Question[T]) -> Answer[T]:
    value = question.task.answer.model_validate(known["value"])
    answer = Answer(value=value, confidence=known["confidence"], engine=known["engine"], model=known["model"])
    return replace(answer, cached=True)
