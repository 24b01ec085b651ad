"""The local engine: answers every task without a model key, and says how sure it is."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from datetime import timedelta
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar, cast

from cachetools import LRUCache

from domain.errors import Permanent
from domain.failures import RootCause
from domain.model import Value
from domain.ports import Embedder
from domain.tasks import (
    CLASSIFY,
    CONTENT,
    EXPLAIN,
    IMPROVE,
    REPLY,
    SUMMARISE,
    Answer,
    ContentDraft,
    FailureCause,
    Label,
    PromptEdit,
    Question,
    ReplyDraft,
    SummaryDraft,
)
from models.local.content import draft as draft_content
from models.local.guess import Example, Guess
from models.local.language import language_of
from models.local.urgency import urgency_of

if TYPE_CHECKING:
    from models.local.intents import IntentClassifier

T = TypeVar("T", bound=Value)
N = TypeVar("N", PromptEdit, FailureCause)

_Answered = (
    Answer[Label] | Answer[ReplyDraft] | Answer[ContentDraft] | Answer[SummaryDraft] | Answer[PromptEdit] | Answer[FailureCause]
)
_LEARNED_IN = frozenset({"en", "und"})
_NOT_UNDERSTOOD = Guess("out-of-scope", 0.5)
_MODELS_KEPT = 4  # the one in force, one on trial, and those of runs that began before
_AS_DRAFTED = 0.5
"""How sure the engine is of a template's wording: it is correct, but nobody judged how it reads. Low enough for a model
to be asked where there is one."""


Taught = Callable[[str], Awaitable[Sequence[Example]]]
"""The labels that the intent model of a run has learned from."""


class LocalModel:
    """Fitted at the first classification (about a second) in a thread; answers in milliseconds afterwards.

    ``taught`` says what the model of a run knows beyond what it comes with: the run may take part in a trial of a refitted
    one. Models are kept by what they were taught, the latest few.
    """

    def __init__(self, embedder: Embedder, *, taught: Taught | None = None) -> None:
        self._embedder = embedder
        self._taught = taught
        self._lock = Lock()
        self._fitted: LRUCache[Hashable, IntentClassifier] = LRUCache(_MODELS_KEPT)

    async def answer(self, question: Question[T]) -> Answer[T]:
        """Raises Permanent for a task it has no engine for."""
        began = perf_counter()
        match question.task.name:
            case CLASSIFY.name:
                answer: _Answered = await asyncio.to_thread(self._classify, question, await self._examples(question.run_id))
            case REPLY.name:
                answer = _reply(question)
            case CONTENT.name:
                answer = draft_content(cast("Question[ContentDraft]", question))
            case SUMMARISE.name:
                answer = _summary(question)
            case IMPROVE.name:
                answer = _no_opinion(PromptEdit(why="", instruction=""))
            case EXPLAIN.name:
                answer = _no_opinion(FailureCause(cause=RootCause.HUMAN))
            case name:
                raise Permanent(f"the local engine has no answer to {name!r}", hint="set a model key for this task")
        took = timedelta(seconds=perf_counter() - began)
        return Answer(value=cast("T", answer.value), confidence=answer.confidence, engine="local", model=answer.model, latency=took)

    async def guess(self, texts: Sequence[str], *, taught: Sequence[Example]) -> list[str]:
        """See ``ports.IntentModels``: by a model that is fitted for this and forgotten."""

        def fitted_once() -> list[str]:
            return [guess.intent for guess in self._fit(tuple(taught)).guess(list(texts))]

        return await asyncio.to_thread(fitted_once)

    async def _examples(self, run_id: str) -> tuple[Example, ...]:
        return tuple(await self._taught(run_id)) if self._taught else ()

    def _classify(self, question: Question[T], examples: tuple[Example, ...]) -> Answer[Label]:
        """Subject and message tell the intent; the message alone tells the language."""
        message, subject = question.untrusted.get("message", ""), question.untrusted.get("subject", "")
        text = f"{subject}\n{message}".strip()[:4_000]
        language = language_of(message) if message.strip() else language_of(subject)
        guess = self._model(examples).guess([text])[0] if language in _LEARNED_IN else _NOT_UNDERSTOOD
        label = Label(intent=guess.intent, urgency=urgency_of(text), language=language)
        return Answer(value=label, confidence=guess.probability, engine="local", model="intent-regression")

    def warm_up(self) -> None:
        """Fit now, in the caller's thread, so that the first mail need not wait for it."""
        self._model(())

    def _model(self, examples: tuple[Example, ...]) -> "IntentClassifier":
        with self._lock:
            if examples not in self._fitted:
                self._fitted[examples] = self._fit(examples)
            return self._fitted[examples]

    def _fit(self, examples: tuple[Example, ...]) -> "IntentClassifier":
        from models.local.intents import IntentClassifier  # noqa: PLC0415 - seconds of import that only classifying needs

        return IntentClassifier.fit(self._embedder, learned=examples)


def _reply(question: Question[T]) -> Answer[ReplyDraft]:
    """The grounded template as it is: this engine does not write, so it cannot invent."""
    value = ReplyDraft(body=question.trusted["draft"], facts_used=tuple(question.trusted.get("facts", ())))
    return Answer(value=value, confidence=_AS_DRAFTED, engine="local", model="template")


def _summary(question: Question[T]) -> Answer[SummaryDraft]:
    """The template's text as it is; it quotes strangers, so it comes among the untrusted texts."""
    return Answer(value=SummaryDraft(text=question.untrusted["draft"]), confidence=_AS_DRAFTED, engine="local", model="template")


def _no_opinion(value: N) -> Answer[N]:
    """What this engine cannot judge: an answer nobody may rely on, so that a model is asked where there is one."""
    return Answer(value=value, confidence=0.0, engine="local", model="none")
