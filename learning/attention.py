"""Which of the things that wait are worth an interrupt, and what became of earlier ones. Pure.

A notice is weighed by ``value at risk x urgency x P(the operator acts)``, in the shop's currency: what an interrupt would
be worth. The chance is learned for each kind of notice from how earlier interrupts of it ended, as the mean of a Beta
posterior; what is urgent is told whatever became of earlier ones.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.approvals import ApprovalDecided, ApprovalEnded, ApprovalStatus, Verb, outside_quiet_hours
from domain.attention import AttentionDay, Notice, NoticeOutcome, Sent, at_least
from domain.event import EventData
from domain.model import Moment, Value
from domain.policies import ApprovalPolicy, AttentionPolicy
from domain.runs import AlertClosed

AGAIN_AFTER = timedelta(hours=12)  # told late, a thing is not told again when the clock strikes twelve
ATTENTIVE = timedelta(hours=24)  # what is still open after so long was ignored
HEAD = 3  # as many things as a person takes in at one look
_ACTS, _DOES_NOT = 4.0, 1.0  # the prior: four of five interrupts are acted on
_SOON = timedelta(hours=6)  # the urgency of what lapses doubles so long before
_PRESSING = 3.0
_BAD = frozenset({NoticeOutcome.SNOOZED, NoticeOutcome.IGNORED, NoticeOutcome.EXPIRED})


class Ranked(Value):
    """A notice with its weights; ``worth`` is what an interrupt for it would be worth, in the shop's currency."""

    notice: Notice
    urgency: float
    chance: float

    @property
    def worth(self) -> float:
        return self.notice.value_at_risk * self.urgency * self.chance


class Why(StrEnum):
    """Why a notice is no interrupt now."""

    QUIET = "quiet hours"
    SMALL = "worth less than an interrupt"
    USED_UP = "today's interrupts are used up"


@dataclass(frozen=True)
class Choice:
    """What interrupts now, and what does not and why. What was told today is in neither."""

    interrupt: tuple[Ranked, ...]
    deferred: tuple[tuple[Ranked, Why], ...]


@dataclass(frozen=True)
class Ending:
    outcome: NoticeOutcome
    at: datetime


def chances(days: Iterable[AttentionDay]) -> dict[str, float]:
    """P(the operator acts) for every kind of notice that ever ended; others have that of the prior."""
    tally: dict[str, tuple[float, float]] = {}
    for sent in (s for day in days for s in day.sent):
        acts, does_not = tally.get(sent.notice.kind, (_ACTS, _DOES_NOT))
        acts += sent.outcome is NoticeOutcome.ACTED
        does_not += sent.outcome in _BAD
        tally[sent.notice.kind] = acts, does_not
    return {kind: acts / (acts + does_not) for kind, (acts, does_not) in tally.items()}


def ranked(notices: Iterable[Notice], *, chance: Mapping[str, float], policy: AttentionPolicy, now: Moment) -> tuple[Ranked, ...]:
    """What comes through always first, then by worth, then by age."""
    weighed = [_weighed(notice, chance, policy, now) for notice in notices]
    return tuple(sorted(weighed, key=lambda r: (not _always(r.notice, policy), -r.worth, r.notice.at, r.notice.key)))


def _weighed(notice: Notice, chance: Mapping[str, float], policy: AttentionPolicy, now: Moment) -> Ranked:
    likely = 1.0 if _always(notice, policy) else chance.get(notice.kind, _ACTS / (_ACTS + _DOES_NOT))
    return Ranked(notice=notice, urgency=urgency(notice, now), chance=likely)


def _always(notice: Notice, policy: AttentionPolicy) -> bool:
    return at_least(notice.level, policy.always)


def urgency(notice: Notice, now: Moment) -> float:
    """1 for what can wait, 3 for what lapses now or what a customer calls urgent."""
    if notice.pressing:
        return _PRESSING
    if notice.due is None:
        return 1.0
    left = max(notice.due - now, timedelta(0))
    return float(1.0 + (_PRESSING - 1.0) * math.exp2(-(left / _SOON)))


def needs_you_now(found: Sequence[Ranked], policy: AttentionPolicy) -> tuple[Ranked, ...]:
    """The head of the page: the first few that would be worth an interrupt."""
    return tuple(r for r in found if _always(r.notice, policy) or _is_worth_it(r, policy))[:HEAD]


def choose(
    found: Sequence[Ranked],
    *,
    today: AttentionDay,
    earlier: Iterable[AttentionDay] = (),
    policy: AttentionPolicy,
    hours: ApprovalPolicy,
    now: Moment,
) -> Choice:
    """Go through ``found`` in order. What always comes through counts as one of the day's interrupts, but needs none left.

    The same key interrupts again only where its level rose, or on another day after ``AGAIN_AFTER``. In quiet hours nothing does.
    """
    quiet = quiet_until(hours, now) is not None
    lately = sorted((s for day in earlier for s in day.sent if now - s.at < AGAIN_AFTER), key=lambda s: s.at)
    told = {sent.notice.key: sent.notice.level for sent in (*lately, *today.sent)}
    interrupt: list[Ranked] = []
    deferred: list[tuple[Ranked, Why]] = []
    for one in found:
        key, level = one.notice.key, one.notice.level
        if key in told and at_least(told[key], level):
            continue
        left = policy.interrupts_per_day - len(today.sent) - len(interrupt)
        if why := _against(one, policy, quiet=quiet, left=left):
            deferred.append((one, why))
        else:
            interrupt.append(one)
    return Choice(interrupt=tuple(interrupt), deferred=tuple(deferred))


def _against(one: Ranked, policy: AttentionPolicy, *, quiet: bool, left: int) -> Why | None:
    if quiet:
        return Why.QUIET
    if _always(one.notice, policy):
        return None
    if not _is_worth_it(one, policy):
        return Why.SMALL
    return Why.USED_UP if left <= 0 else None


def _is_worth_it(one: Ranked, policy: AttentionPolicy) -> bool:
    return one.worth >= float(policy.least_value.amount)


def quiet_until(hours: ApprovalPolicy, now: Moment) -> datetime | None:
    """The end of the quiet hours that ``now`` lies in; None outside them."""
    local = now.astimezone(ZoneInfo(hours.timezone))
    end = outside_quiet_hours(local, start_hour=hours.quiet_from_hour, end_hour=hours.quiet_to_hour)
    return None if end == local else end


def local_day(hours: ApprovalPolicy, now: Moment) -> str:
    """The operator's date, as ISO text."""
    return now.astimezone(ZoneInfo(hours.timezone)).date().isoformat()


def ending(sent: Sent, events: Iterable[tuple[datetime, EventData]], *, now: Moment) -> Ending | None:
    """How an interrupt ended, given what happened since on the streams it is about; None while it is open.

    Of several things that were told as one, the first that the operator deals with counts.
    """
    later = sorted((e for e in events if e[0] >= sent.at), key=lambda e: e[0])
    for at, data in later:
        if (outcome := _outcome(data)) is not None:
            return Ending(outcome, at) if at - sent.at <= ATTENTIVE else _ignored(sent)
    return _ignored(sent) if now - sent.at >= ATTENTIVE else None


def _ignored(sent: Sent) -> Ending:
    return Ending(NoticeOutcome.IGNORED, sent.at + ATTENTIVE)


def _outcome(data: EventData) -> NoticeOutcome | None:
    match data:
        case ApprovalDecided(decision=decision):
            return NoticeOutcome.SNOOZED if decision.verb is Verb.SNOOZE else NoticeOutcome.ACTED
        case ApprovalEnded(status=ApprovalStatus.EXPIRED | ApprovalStatus.APPROVED):
            return NoticeOutcome.EXPIRED
        case ApprovalEnded():
            return NoticeOutcome.MOOT
        case AlertClosed():
            return NoticeOutcome.ACTED
    return None
