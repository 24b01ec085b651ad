"""Three interrupts a day, spent on what is worth most."""

from datetime import datetime, timedelta

import pytest

from domain.approvals import ApprovalDecided, ApprovalEnded, ApprovalStatus, Decision, Verb
from domain.attention import AttentionDay, Notice, NoticeOutcome, Sent
from domain.event import EventData
from domain.policies import ApprovalPolicy, AttentionPolicy
from domain.runs import AlertClosed, AlertLevel
from learning.attention import Choice, Ending, Why, chances, choose, ending, needs_you_now, ranked
from tests.unit.learning.waiting import NIGHT, NOON, notice

POLICY, HOURS = AttentionPolicy(), ApprovalPolicy()
URGENT = AlertLevel.URGENT


def chosen(
    *waiting: Notice,
    told: tuple[Notice, ...] = (),
    yesterday: tuple[Sent, ...] = (),
    now: datetime = NOON,
    policy: AttentionPolicy = POLICY,
) -> Choice:
    found = ranked(waiting, chance={}, policy=policy, now=now)
    today = AttentionDay(day="2026-03-30", sent=tuple(Sent(notice=n, at=now - timedelta(hours=1)) for n in told))
    earlier = [today, AttentionDay(day="2026-03-29", sent=yesterday)]
    return choose(found, today=today, earlier=earlier, policy=policy, hours=HOURS, now=now)


def keys(choice: Choice) -> list[str]:
    return [one.notice.key for one in choice.interrupt]


def day(*outcomes: NoticeOutcome | None, kind: str = "send-reply") -> AttentionDay:
    sent = tuple(Sent(notice=notice(str(n), kind=kind), at=NOON, outcome=o) for n, o in enumerate(outcomes))
    return AttentionDay(day="2026-03-29", sent=sent)


def test_the_dearest_come_first_and_three_a_day_get_through() -> None:
    """The rest waits for the digest."""
    choice = chosen(*(notice(str(n), value=10.0 * n) for n in range(1, 6)))
    assert keys(choice) == ["5", "4", "3"]
    assert [(one.notice.key, why) for one, why in choice.deferred] == [("2", Why.USED_UP), ("1", Why.USED_UP)]


def test_what_was_told_today_is_used_up_and_not_told_again() -> None:
    """Nor is it left for the digest."""
    choice = chosen(notice("a"), notice("b"), notice("c"), told=(notice("a"), notice("x"), notice("y")))
    assert keys(choice) == []
    assert [one.notice.key for one, _ in choice.deferred] == ["b", "c"]


@pytest.mark.parametrize(("hours", "again"), [(1, []), (11, []), (13, ["one"])])
def test_what_was_told_late_yesterday_is_not_told_again_after_midnight(hours: int, again: list[str]) -> None:
    """It counts against no budget but yesterday's; where it got worse meanwhile it comes through."""
    yesterday = (Sent(notice=notice(), at=NOON - timedelta(hours=hours)),)
    assert keys(chosen(notice(), yesterday=yesterday)) == again
    assert keys(chosen(notice(level=URGENT), yesterday=yesterday)) == ["one"]
    assert keys(chosen(*(notice(k) for k in "abc"), yesterday=yesterday)) == ["a", "b", "c"]


def test_what_is_urgent_comes_through_a_spent_budget() -> None:
    """Whatever it is worth; and it comes first."""
    told = tuple(notice(k) for k in "xyz")
    assert keys(chosen(notice("a", value=500.0), notice("b", value=0.0, level=URGENT), told=told)) == ["b"]
    assert keys(chosen(notice("a", value=500.0), notice("b", value=0.0, level=URGENT))) == ["b", "a"]


def test_the_same_interrupts_again_only_where_it_got_worse() -> None:
    """From a warning to urgent, not from urgent to a warning."""
    assert keys(chosen(notice(level=URGENT), told=(notice(level=AlertLevel.WARNING),))) == ["one"]
    assert keys(chosen(notice(level=AlertLevel.WARNING), told=(notice(level=URGENT),))) == []


def test_quiet_hours_hold_for_everything() -> None:
    """Half past ten in the evening, on the operator's own clock."""
    choice = chosen(notice("a"), notice("b", level=URGENT), now=NIGHT)
    assert keys(choice) == []
    assert {why for _, why in choice.deferred} == {Why.QUIET}


def test_what_is_worth_little_is_no_interrupt() -> None:
    """The policy says how little."""
    assert [why for _, why in chosen(notice(value=6.0)).deferred] == [Why.SMALL]
    assert keys(chosen(notice(value=6.0), policy=AttentionPolicy.model_validate({"least_value": {"amount": 4}}))) == ["one"]


def test_what_lapses_soon_or_presses_goes_before_its_equals() -> None:
    """Three times as urgent at most."""
    soon = notice("soon", due=NOON + timedelta(hours=1))
    later = notice("later", due=NOON + timedelta(days=3))
    found = ranked([notice("calm"), later, soon, notice("pressing", pressing=True)], chance={}, policy=POLICY, now=NOON)
    assert [one.notice.key for one in found] == ["pressing", "soon", "later", "calm"]
    assert found[0].urgency == 3.0


@pytest.mark.parametrize("bad", [NoticeOutcome.SNOOZED, NoticeOutcome.IGNORED, NoticeOutcome.EXPIRED])
def test_a_kind_that_is_not_acted_on_sinks(bad: NoticeOutcome) -> None:
    """Beta(4 + acted, 1 + not acted); other kinds are untouched."""
    learned = chances([day(*[bad] * 15, kind="publish-content"), day(NoticeOutcome.ACTED)])
    assert learned == {"publish-content": 4 / 20, "send-reply": 5 / 6}
    waiting = [notice("page", value=12.0, kind="publish-content"), notice("reply", value=10.0)]
    found = ranked(waiting, chance=learned, policy=POLICY, now=NOON)
    assert [one.notice.key for one in found] == ["reply", "page"]
    assert needs_you_now(found, POLICY) == found[:1]


def test_what_is_open_or_moot_teaches_nothing() -> None:
    """The operator had no say in it."""
    assert chances([day(None, NoticeOutcome.MOOT)]) == {"send-reply": 0.8}


def test_what_is_urgent_keeps_its_place_however_often_it_was_ignored() -> None:
    """Its chance does not count."""
    learned = chances([day(*[NoticeOutcome.IGNORED] * 50)])
    (first, _) = ranked([notice("a", value=900.0), notice("b", value=1.0, level=URGENT)], chance=learned, policy=POLICY, now=NOON)
    assert (first.notice.key, first.chance) == ("b", 1.0)


def decided(verb: Verb) -> ApprovalDecided:
    decision = Decision(decision_id="d", approval_id="one", verb=verb, digest="x", by="operator")
    return ApprovalDecided(approval_id="one", decision=decision, at=NOON)


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (decided(Verb.APPROVE), NoticeOutcome.ACTED),
        (decided(Verb.REJECT), NoticeOutcome.ACTED),
        (decided(Verb.SNOOZE), NoticeOutcome.SNOOZED),
        (AlertClosed(key="one", by="operator"), NoticeOutcome.ACTED),
        (ApprovalEnded(approval_id="one", status=ApprovalStatus.EXPIRED, at=NOON), NoticeOutcome.EXPIRED),
        (ApprovalEnded(approval_id="one", status=ApprovalStatus.WITHDRAWN, at=NOON), NoticeOutcome.MOOT),
    ],
)
def test_an_interrupt_ends_with_what_happens_next(data: EventData, outcome: NoticeOutcome) -> None:
    """What happened before it was sent is not its end."""
    sent, soon = Sent(notice=notice(), at=NOON), NOON + timedelta(minutes=5)
    assert ending(sent, [(soon, data)], now=soon) == Ending(outcome, soon)
    assert ending(sent, [(NOON - timedelta(minutes=5), data)], now=soon) is None


def test_what_nobody_touches_for_a_day_was_ignored() -> None:
    """An answer after that comes too late to count as one."""
    sent, tomorrow = Sent(notice=notice(), at=NOON), NOON + timedelta(hours=24)
    ignored = Ending(NoticeOutcome.IGNORED, tomorrow)
    assert ending(sent, [], now=tomorrow - timedelta(minutes=1)) is None
    assert ending(sent, [], now=tomorrow) == ignored
    assert ending(sent, [(NOON + timedelta(hours=30), decided(Verb.APPROVE))], now=NOON + timedelta(days=3)) == ignored
