"""Local, then small, then large: who is asked, and what it may cost."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.errors import Permanent, Retryable, StewardError
from domain.policies import RoutingPolicy
from domain.tasks import CLASSIFY, Answer, Label, Question
from models.billed import BilledPermanent
from models.routing import RoutedModel, Tiers, cache_key

LABEL = Label(intent="late", urgency="normal", language="en")
QUESTION = Question(
    task=CLASSIFY, trusted={}, untrusted={"message": "late"}, prompt="Sort.", asked_at=datetime(2026, 3, 12, tzinfo=UTC)
)


class Engine:
    """Answers with a given confidence at a given cost, or raises."""

    def __init__(self, name: str, confidence: float = 1.0, *, cost: str = "0", error: StewardError | None = None) -> None:
        self.model = name
        self.asked = 0
        self._answer = Answer(value=LABEL, confidence=confidence, engine=name, model=name, cost=Decimal(cost))
        self._error = error

    async def answer(self, question: Question[Any]) -> Answer[Any]:
        self.asked += 1
        if self._error:
            raise self._error
        return self._answer

    def estimate(self, question: Question[Any]) -> Decimal:
        return self._answer.cost


class Journal:
    """Answers and spending in a dict."""

    def __init__(self, spent: str = "0") -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        self.total = Decimal(spent)

    async def recall(self, cache_key: str) -> dict[str, Any] | None:
        return self.answers.get(cache_key)

    async def record(self, cache_key: str, answer: dict[str, Any], *, cost: Any, engine: str, model: str, at: Any) -> None:
        self.answers[cache_key] = answer
        self.total += cost

    async def spent(self, day: date) -> Decimal:
        return self.total


def routed(engines: Sequence[Engine], journal: Journal, *, budget: str = "5") -> RoutedModel:
    async def policy(_run_id: str) -> RoutingPolicy:
        return RoutingPolicy()

    async def daily_budget() -> Decimal:
        return Decimal(budget)

    local, *tiers = engines
    remote = (lambda _: Tiers(small=tiers[0], large=tiers[1])) if tiers else None
    return RoutedModel(local=local, remote=remote, routing=policy, journal=journal, daily_budget=daily_budget)


async def test_a_confident_local_answer_is_free() -> None:
    """No remote engine is asked."""
    small = Engine("small")
    given = await routed([Engine("local", 0.9), small, Engine("large")], Journal()).answer(QUESTION)
    assert (given.engine, small.asked) == ("local", 0)


async def test_an_unsure_answer_goes_one_step_up_at_a_time() -> None:
    """Local at 0.4 asks small; small at 0.6 asks large; a sure small one is the end."""
    unsure = await routed([Engine("local", 0.4), Engine("small", 0.6), Engine("large", 0.5)], Journal()).answer(QUESTION)
    sure = await routed([Engine("local", 0.4), Engine("small", 0.8), Engine("large")], Journal()).answer(QUESTION)
    assert (unsure.engine, sure.engine) == ("large", "small")


async def test_without_remote_engines_the_local_answer_stands() -> None:
    """No key, no question to anybody, and its low confidence is said."""
    given = await routed([Engine("local", 0.2)], Journal()).answer(QUESTION)
    assert (given.engine, given.confidence) == ("local", 0.2)


async def test_a_step_that_does_not_fit_the_day_s_budget_is_not_taken() -> None:
    """Small still fits, large would go over: the small answer stands."""
    engines = [Engine("local", 0.1), Engine("small", 0.1, cost="0.01"), Engine("large", 1.0, cost="0.10")]
    given = await routed(engines, Journal(spent="4.95")).answer(QUESTION)
    assert (given.engine, engines[2].asked) == ("small", 0)


async def test_the_same_question_is_paid_once() -> None:
    """A repeat comes from the journal, costs nothing and says so."""
    engines, journal = [Engine("local", 0.1), Engine("small", 0.9, cost="0.01"), Engine("large")], Journal()
    model = routed(engines, journal)
    first, second = await model.answer(QUESTION), await model.answer(QUESTION)
    assert (first.cached, second.cached, second.value) == (False, True, first.value)
    assert (engines[1].asked, second.cost, journal.total) == (1, Decimal(0), Decimal("0.01"))


async def test_the_journal_says_by_which_prompt_an_answer_was_given() -> None:
    """The task's file and the version of the policy that adds to it."""
    journal = Journal()
    await routed([Engine("local", 0.1), Engine("small", 0.9), Engine("large")], journal).answer(replace(QUESTION, prompt_version=3))
    assert [record["prompt"] for record in journal.answers.values()] == ["classify@3"]


async def test_trouble_with_a_remote_engine_costs_quality_only() -> None:
    """Refusals and outages leave the local answer; after an outage the remote engines rest for a while."""
    broken = Engine("small", error=Retryable("overloaded", retry_after=timedelta(seconds=60)))
    refusing = Engine("small", error=Permanent("refused"))
    resting = routed([Engine("local", 0.1), broken, Engine("large")], Journal())
    asked = [await resting.answer(QUESTION), await resting.answer(QUESTION)]
    answered = await routed([Engine("local", 0.1), refusing, Engine("large")], Journal()).answer(QUESTION)
    assert [a.engine for a in (*asked, answered)] == ["local"] * 3
    assert broken.asked == 1


async def test_an_unusable_answer_is_paid_for_each_time_and_never_recalled() -> None:
    """The next question is asked again, until the day's budget is used up."""
    refusing = Engine("small", cost="0.02", error=BilledPermanent("refused", cost=Decimal("0.02")))
    journal = Journal()
    model = routed([Engine("local", 0.1), refusing, Engine("large")], journal, budget="0.05")
    given = [await model.answer(QUESTION) for _ in range(3)]
    assert [(a.engine, a.cached) for a in given] == [("local", False)] * 3
    assert (refusing.asked, journal.total) == (2, Decimal("0.04"))
    assert await journal.recall(cache_key(QUESTION)) is None


def test_the_cache_key_follows_everything_the_answer_depends_on() -> None:
    """Another prompt, version, context or text is another question; the hour it is asked at is not."""
    others = [
        replace(QUESTION, prompt="Sort well."),
        replace(QUESTION, task=replace(CLASSIFY, version=2)),
        replace(QUESTION, context_pack="abc"),
        replace(QUESTION, untrusted={"message": "Late"}),
        replace(QUESTION, trusted={"intents": ["late"]}),
    ]
    assert len({cache_key(q) for q in (QUESTION, *others)}) == 6
    assert cache_key(replace(QUESTION, asked_at=datetime(2026, 3, 13, tzinfo=UTC))) == cache_key(QUESTION)
