"""Typed questions to a model and typed answers from it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

from pydantic import Field

from domain.failures import RootCause
from domain.model import Value

T = TypeVar("T", bound=Value)


class Label(Value):
    """What a support message is about. ``intent`` is "out-of-scope" where no known intent fits."""

    intent: str
    urgency: str = Field(pattern=r"^(low|normal|high)$")
    language: str  # ISO 639-1, or "und"


class ReplyDraft(Value):
    """A reply's text. ``facts_used`` are references into the task's facts; every number in the text stands in one of them."""

    body: str
    facts_used: tuple[str, ...] = ()


class ContentDraft(Value):
    title: str
    description: str
    body: str  # Markdown


class SummaryDraft(Value):
    """What became of a matter. Every number, identifier and date stands in its source events."""

    text: str


class PromptEdit(Value):
    """``instruction`` is all that shall be added to a prompt, after one small edit; empty where no edit would help."""

    why: str
    instruction: str


class FailureCause(Value):
    """The root cause of a failure, out of the closed list."""

    cause: RootCause


@dataclass(frozen=True, kw_only=True)
class TaskSpec(Generic[T]):
    """A kind of question. ``version`` and the prompt's text are part of the answer's cache key."""

    name: str
    version: int
    prompt: str  # the prompt's file name under agents/prompts, without .md
    answer: type[T]


@dataclass(frozen=True, kw_only=True)
class Question(Generic[T]):
    """One question: ``trusted`` comes from canonical state, ``untrusted`` was written by strangers and is only ever data."""

    task: TaskSpec[T]
    trusted: dict[str, Any]
    untrusted: dict[str, str]
    context_pack: str = ""
    prompt: str = ""  # the prompt's text
    prompt_version: int = 0  # that of the policy ``prompts`` it was made by
    asked_at: datetime
    run_id: str = ""  # the run it is asked for: it may take part in a trial of what answers


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[T]):
    """``confidence`` is calibrated for the local engine and self-reported or 1.0 for others; ``cost`` is in US dollars."""

    value: T
    confidence: float
    engine: str
    model: str
    cost: Decimal = Decimal(0)
    input_tokens: int = 0
    output_tokens: int = 0
    latency: timedelta = timedelta(0)
    cached: bool = False


CLASSIFY = TaskSpec(name="classify-ticket", version=1, prompt="classify", answer=Label)
REPLY = TaskSpec(name="draft-reply", version=1, prompt="reply", answer=ReplyDraft)
CONTENT = TaskSpec(name="draft-content", version=1, prompt="content", answer=ContentDraft)
SUMMARISE = TaskSpec(name="summarise", version=1, prompt="summarise", answer=SummaryDraft)
IMPROVE = TaskSpec(name="improve-prompt", version=1, prompt="improve", answer=PromptEdit)
EXPLAIN = TaskSpec(name="explain-failure", version=1, prompt="explain", answer=FailureCause)
