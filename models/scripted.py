"""A model that answers from a script: for tests, where what the model says is the premise."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from domain.errors import Permanent, StewardError
from domain.model import Value
from domain.tasks import Answer, Question

T = TypeVar("T", bound=Value)


class ScriptedModel:
    """Gives each task's ``answers`` in turn and repeats the last one; an error among them is raised.

    ``asked`` keeps the questions in order.
    """

    def __init__(self, answers: Mapping[str, Iterable[Value | StewardError]], *, confidence: float = 0.95) -> None:
        self._answers = {task: list(script) for task, script in answers.items()}
        self._confidence = confidence
        self.asked: list[Question[Any]] = []

    async def answer(self, question: Question[T]) -> Answer[T]:
        self.asked.append(question)
        script = self._answers.get(question.task.name)
        if not script:
            raise Permanent(f"the script has no answer to {question.task.name!r}")
        given = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(given, StewardError):
            raise given
        value = question.task.answer.model_validate(given.model_dump())
        return Answer(value=value, confidence=self._confidence, engine="scripted", model="script")
