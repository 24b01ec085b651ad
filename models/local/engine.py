"""The local engine: answers every task without a model key, and says how sure it is."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar, cast

from domain.errors import Permanent
from domain.model import Value
from domain.ports import Embedder
from domain.tasks import CLASSIFY, CONTENT, REPLY, Answer, ContentDraft, Label, Question, ReplyDraft
from models.local.content import draft as draft_content
from models.local.guess import Example, Guess
from models.local.language import language_of
from models.local.urgency import urgency_of

if TYPE_CHECKING:
    from models.local.intents import IntentClassifier

T = TypeVar("T", bound=Value)

_Answered = Answer[Label] | Answer[ReplyDraft] | Answer[ContentDraft]
_LEARNED_IN = frozenset({"en", "und"})
_NOT_UNDERSTOOD = Guess("out-of-scope", 0.5)
_AS_DRAFTED = 0.5
"""How sure the engine is of a template's wording: it is correct, but nobody judged how it reads. Low enough for a model
to be asked where there is one."""


class LocalModel:
    """Fitted at the first classification (about a second) in a thread; answers in milliseconds afterwards."""

    def __init__(self, embedder: Embedder, *, examples: Sequence[Example] = ()) -> None:
        self._embedder = embedder
        self._examples = tuple(examples)
        self._lock = Lock()
        self._classifier: IntentClassifier | None = None

    async def answer(self, question: Question[T]) -> Answer[T]:
        """Raises Permanent for a task it has no engine for."""
        began = perf_counter()
        match question.task.name:
            case CLASSIFY.name:
                answer: Answer[Label] | Answer[ReplyDraft] | Answer[ContentDraft] = await asyncio.to_thread(
                    self._classify, question
                )
            case REPLY.name:
                answer = _reply(question)
            case CONTENT.name:
                answer = draft_content(cast("Question[ContentDraft]", question))
            case name:
                raise Permanent(f"the local engine has no answer to {name!r}", hint="set a model key for this task")
        took = timedelta(seconds=perf_counter() - began)
        return Answer(value=cast("T", answer.value), confidence=answer.confidence, engine="local", model=answer.model, latency=took)

    def _classify(self, question: Question[T]) -> Answer[Label]:
        """Subject and message tell the intent; the message alone tells the language."""
        message, subject = question.untrusted.get("message", ""), question.untrusted.get("subject", "")
        text = f"{subject}\n{message}".strip()[:4_000]
        language = language_of(message) if message.strip() else language_of(subject)
        guess = self._fitted().guess([text])[0] if language in _LEARNED_IN else _NOT_UNDERSTOOD
        label = Label(intent=guess.intent, urgency=urgency_of(text), language=language)
        return Answer(value=label, confidence=guess.probability, engine="local", model="intent-regression")

    def warm_up(self) -> None:
        """Fit now, in the caller's thread, so that the first mail need not wait for it."""
        self._fitted()

    def _fitted(self) -> "IntentClassifier":
        from models.local.intents import IntentClassifier  # noqa: PLC0415 - seconds of import that only classifying needs

        with self._lock:
            if self._classifier is None:
                self._classifier = IntentClassifier.fit(self._embedder, learned=self._examples)
            return self._classifier


def _reply(question: Question[T]) -> Answer[ReplyDraft]:
    """The grounded template as it is: this engine does not write, so it cannot invent."""
    value = ReplyDraft(body=question.trusted["draft"], facts_used=tuple(question.trusted.get("facts", ())))
    return Answer(value=value, confidence=_AS_DRAFTED, engine="local", model="template")
