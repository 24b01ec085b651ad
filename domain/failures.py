"""Failures: outcomes that were bad, why, and what would mend them."""

from enum import StrEnum

from pydantic import Field

from domain.event import EventData, existing
from domain.model import Moment, Name, Text, Value


class RootCause(StrEnum):
    """In the order in which causes are mended: data before policy before prompt before model."""

    DATA_MISSING = "data-missing"
    DATA_STALE = "data-stale"
    DATA_WRONG = "data-wrong"
    POLICY_GAP = "policy-gap"
    POLICY_WRONG = "policy-wrong"
    TOOL = "tool"
    PROMPT = "prompt"
    MODEL = "model"
    EXTERNAL = "external"
    HUMAN = "human"


class Labeller(StrEnum):
    RULES = "rules"
    CLASSIFIER = "classifier"
    MODEL = "model"
    OPERATOR = "operator"


class Failure(Value):
    """One bad outcome of one run. ``mode`` says what went wrong in words that repeat, for example ``wrong intent: late``."""

    failure_id: Name
    run_id: Name
    metric: Name
    value: float
    topic: str = ""
    mode: Name
    cause: RootCause
    labelled_by: Labeller
    confidence: float = Field(default=1.0, ge=0, le=1)
    detail: Text = ""
    ref: str = ""  # what it is about: a fact, a policy field, a supplier
    cost: float = 0.0  # in the shop's currency
    severe: bool = False
    asked: bool = False  # drawn for the sample that the operator confirms
    confirmed: bool = False
    at: Moment


class FailureFound(EventData):
    type = "failure.found"
    entity = Failure
    failure: Failure

    @property
    def stream(self) -> str:
        return f"failure/{self.failure.failure_id}"

    def fold(self, state: Failure | None) -> Failure:
        return self.failure


class FailureLabelled(EventData):
    """The operator confirms a label or gives another one."""

    type = "failure.labelled"
    entity = Failure
    failure_id: Name
    cause: RootCause
    mode: Name
    by: Name

    @property
    def stream(self) -> str:
        return f"failure/{self.failure_id}"

    def fold(self, state: Failure | None) -> Failure:
        failure: Failure = existing(state, self.stream)
        return failure.model_copy(
            update={
                "cause": self.cause,
                "mode": self.mode,
                "labelled_by": Labeller.OPERATOR,
                "confidence": 1.0,
                "confirmed": True,
            }
        )
