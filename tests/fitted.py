"""The local model as it is once it has been asked something: it learns at its first question, which takes a second."""

import asyncio
from datetime import UTC, datetime

from domain.ports import Embedder
from domain.tasks import CLASSIFY, Question
from models.local import LocalModel


def fitted(embedder: Embedder) -> LocalModel:
    """Made before a test begins, so that none waits for it in an activity that has to beat meanwhile."""
    model = LocalModel(embedder)
    question = Question(task=CLASSIFY, trusted={}, untrusted={"message": "broken"}, asked_at=datetime.now(UTC))
    asyncio.run(model.answer(question))
    return model
