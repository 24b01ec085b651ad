"""Interrupts as they are recorded, and the morning page, over memory without servers."""

from datetime import datetime, timedelta
from typing import Any

import pytest

import memory
from activities.attending import look
from activities.attention import Attended, AttendInput, AttentionActivities
from activities.digest import DigestActivities
from activities.steps import DigestInput
from domain.actions import Risk
from domain.approvals import Approval, ApprovalDecided, ApprovalReminded, ApprovalRequested, Decision, Verb
from domain.attention import AttentionDay, NoticeOutcome
from domain.autonomy import Grant
from domain.event import EventData, new_event
from domain.learning import LearningReport, LearningReported
from domain.policies import AutonomyPolicy, PolicyActivated, PolicyVersion
from domain.retention import Upkeep, UpkeepDone
from domain.runs import AlertClosed, AlertLevel, AlertRaised, RunStarted
from models.embedding import HashingEmbedder
from tests.unit.learning.happened import reply
from tests.unit.learning.waiting import NIGHT, NOON, alert, question, refund

TODAY = "2026-03-30"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Office:
    """A log, and the two steps that look after the operator's attention."""

    def __init__(self) -> None:
        self.kept = memory.in_memory(embedder=HashingEmbedder())
        ports: dict[str, Any] = {"log": self.kept.log, "state": self.kept.state, "policies": self.kept.policies}
        self._attention = AttentionActivities(**ports)
        self._digest = DigestActivities(**ports, guards=self.kept.guards)

    async def tell(self, *events: EventData, at: datetime = NOON) -> None:
        keyed = [(data, (data.stream, str(n), at.isoformat())) for n, data in enumerate(events)]
        await self.kept.log.append([new_event(data, at=at, key=key) for data, key in keyed])

    async def ask(self, *approvals: Approval) -> None:
        await self.tell(*(ApprovalRequested(approval=a) for a in approvals))

    async def answer(self, approval: Approval, verb: Verb, at: datetime) -> None:
        decision = Decision(
            decision_id=f"{verb}/{approval.approval_id}",
            approval_id=approval.approval_id,
            verb=verb,
            digest="x",
            by="operator",
            snooze_until=at + 4 * HOUR,
        )
        await self.tell(ApprovalDecided(approval_id=approval.approval_id, decision=decision, at=at), at=at)

    async def attend(self, now: datetime = NOON) -> Attended:
        return await self._attention.attend(AttendInput(run_id="attention/x", now=now))

    async def day(self, day: str = TODAY) -> AttentionDay:
        return await self.kept.state.get(AttentionDay, day) or AttentionDay(day=day)

    async def outcomes(self) -> list[tuple[NoticeOutcome | None, float]]:
        return [(s.outcome, s.after_minutes) for s in (await self.day()).sent]

    async def digest(self, now: datetime) -> str:
        return (await self._digest.write_digest(DigestInput(day=now.date().isoformat(), now=now))).text


@pytest.fixture
def office() -> Office:
    return Office()


async def test_three_questions_interrupt_and_the_others_are_deferred_once(office: Office) -> None:
    """Looking again tells nothing twice, and records nothing."""
    await office.ask(*(question(refund(n, amount=10 * n), number=n) for n in range(1, 6)))
    assert (await office.attend()).interrupted == 3
    head = await office.kept.log.head()
    again = await office.attend(NOON + MINUTE)
    assert (again.interrupted, again.text) == (0, "3 told today, 2 left for the digest")
    assert await office.kept.log.head() == head
    day = await office.day()
    assert ([s.notice.value_at_risk for s in day.sent], day.deferred) == ([65.0, 55.0, 45.0], 2)


async def test_a_new_day_has_a_new_budget(office: Office) -> None:
    """What waits is told again, within it."""
    await office.ask(*(question(refund(n), number=n) for n in range(1, 6)))
    await office.attend()
    assert (await office.attend(NOON + timedelta(days=1))).interrupted == 3
    assert (await office.attend(NOON + timedelta(days=1, minutes=5))).interrupted == 0


async def test_at_night_it_is_looked_at_again_in_the_morning(office: Office) -> None:
    """At the end of the quiet hours, and then told."""
    await office.tell(AlertRaised(alert=alert("log-broken", AlertLevel.URGENT)), at=NIGHT)
    kept_back = await office.attend(NIGHT)
    assert (kept_back.interrupted, str(kept_back.look_again_at)) == (0, "2026-03-31 08:00:00+02:00")
    assert kept_back.look_again_at is not None
    morning = await office.attend(kept_back.look_again_at)
    assert (morning.interrupted, morning.look_again_at) == (1, None)


async def test_a_question_that_became_urgent_interrupts_again(office: Office) -> None:
    """After the second reminder, where money hangs on it."""
    asked = question(refund())
    await office.ask(asked)
    assert (await office.attend()).interrupted == 1
    for n, again in ((1, 1), (2, 1), (3, 0)):
        reminded = ApprovalReminded(approval_id=asked.approval_id, escalation=n > 1)
        await office.tell(reminded, at=NOON + n * HOUR)
        assert (await office.attend(NOON + n * HOUR)).interrupted == again


async def test_what_became_of_an_interrupt_is_written_down_once(office: Office) -> None:
    """With the minutes that it took."""
    asked = [question(refund(n, amount=40 - n), number=n) for n in (1, 2)]
    await office.ask(*asked)
    await office.tell(AlertRaised(alert=alert("late/po-1")))
    await office.attend()
    await office.answer(asked[0], Verb.APPROVE, NOON + 7 * MINUTE)
    await office.answer(asked[1], Verb.SNOOZE, NOON + 9 * MINUTE)
    await office.tell(AlertClosed(key="late/po-1", by="operator"), at=NOON + 30 * MINUTE)
    await office.attend(NOON + HOUR)
    head = await office.kept.log.head()
    await office.attend(NOON + HOUR + MINUTE)
    assert await office.outcomes() == [
        (NoticeOutcome.ACTED, 7.0),
        (NoticeOutcome.SNOOZED, 9.0),
        (NoticeOutcome.ACTED, 30.0),
    ]
    assert await office.kept.log.head() == head


async def test_what_is_ignored_for_days_stops_interrupting(office: Office) -> None:
    """A reply is worth 6 at first, and less for every one that nobody looks at; it stays on the page of what waits."""
    await office.ask(*(question(reply("yes", number=n), number=n, expires_at=NOON + timedelta(days=90)) for n in range(3)))
    told = [(await office.attend(NOON + timedelta(days=d))).interrupted for d in range(6)]
    assert told[0] == 3
    assert told[-1] == 0
    assert (await office.outcomes())[0] == (NoticeOutcome.IGNORED, 24 * 60)
    assert len((await look(office.kept.state, office.kept.policies, now=NOON + timedelta(days=6))).ranked) == 3


async def test_the_digest_says_first_what_needs_you_and_how_much_more(office: Office) -> None:
    """The dearest three, in words that may leave the house."""
    await office.ask(*(question(refund(n, amount=10 * n), number=n) for n in range(1, 6)))
    lines = (await office.digest(NOON)).splitlines()
    assert lines[0] == "## Needs you (5)"
    assert lines[1] == "- a refund waits for your word (50.00 EUR): `./steward show a-5`"
    assert lines[4] == "- and 2 more: `./steward inbox`"


async def test_the_digest_tells_the_night_and_leaves_out_what_is_empty(office: Office) -> None:
    """What was learned and kept in order, what goes without asking; on a quiet day nothing needs you."""
    assert await office.digest(NOON) == "## Nothing needs you\n\n## Since yesterday\n- 0 runs, 0 finished\n- 0 tickets open"
    report = LearningReport(
        day=TODAY, at=NOON, ended=("support@3 promoted: fewer reopened",), proposed=("stock, version 2: calmer",)
    )
    grant = Grant(key="support/send-reply/late/no-money", limit=0.1, sample=0.1, earned_at=NOON)
    document = AutonomyPolicy(grants={grant.key: grant}).model_dump(mode="json")
    version = PolicyVersion(version=1, document=document, proposed_by="operator", approved_by="operator", at=NOON, risk=Risk.R3)
    await office.tell(LearningReported(report=report), UpkeepDone(upkeep=Upkeep(day=TODAY, at=NOON, verified=412)))
    await office.tell(PolicyActivated(name="autonomy", version=version), RunStarted(run_id="r", workflow="support", at=NOON))
    await office.tell(AlertRaised(alert=alert("late/po-1")))
    await office.attend()
    assert (await office.digest(NOON + HOUR)).splitlines() == [
        "## Needs you (1)",
        "- a delivery is late: `./steward alerts`",
        "",
        "## Since yesterday",
        "- 1 run, 0 finished",
        "- 0 tickets open",
        "- 1 interrupt, 0 acted on",
        "- memory upkeep: 412 events verified",
        "",
        "## Learned last night",
        "- support@3 promoted: fewer reopened",
        "- waits for your word: stock, version 2: calmer",
        "",
        "## Goes without asking you",
        "- support/send-reply/late/no-money, since 30 Mar",
    ]
