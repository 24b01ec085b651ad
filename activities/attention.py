"""The step that interrupts the operator: settle what became of earlier interrupts, then choose the next ones."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from temporalio import activity

from activities.attending import Attention, look, recent_days
from activities.notifying import Told
from domain.attention import AttentionDay, InterruptSent, NoticeDeferred, NoticeEnded, Sent
from domain.catalogue import load_event
from domain.errors import Retryable, VersionConflict
from domain.event import EventData, NewEvent, new_event
from domain.model import Moment, Name, Value
from domain.policies import ApprovalPolicy
from domain.ports import EventLog, Policies, State
from learning.attention import Choice, Why, choose, ending, quiet_until


class AttendInput(Value):
    run_id: Name
    now: Moment


class Attended(Value):
    """``look_again_at`` is the end of the quiet hours that keep something back; ``told`` are the new interrupts."""

    interrupted: int = 0
    day: str = ""  # the operator's
    told: tuple[Told, ...] = ()
    look_again_at: Moment | None = None
    text: str = ""


class AttentionActivities:
    """What is recorded as sent is what the operator sees at the top of the inbox."""

    def __init__(self, *, log: EventLog, state: State, policies: Policies) -> None:
        self._log = log
        self._state = state
        self._policies = policies

    @activity.defn
    async def attend(self, request: AttendInput) -> Attended:
        """Raises Retryable where the day's record moved meanwhile: then it has to be chosen anew."""
        await self._settle(request)
        seen = await look(self._state, self._policies, now=request.now)
        version = await self._state.version(AttentionDay, seen.today.day)
        choice = choose(seen.ranked, today=seen.today, earlier=seen.days, policy=seen.policy, hours=seen.hours, now=request.now)
        events = [_event(data, request, *key) for data, key in _told(choice, seen.today.day, request.now)]
        try:
            await self._log.append(events, expected={f"attention/{seen.today.day}": version})
        except VersionConflict as moved:
            raise Retryable("something else took the operator's attention at the same moment") from moved
        return _attended(choice, seen, request.now)

    async def _settle(self, request: AttendInput) -> None:
        """Write down how interrupts ended."""
        hours = (await self._policies.in_force(ApprovalPolicy)).document
        ended = [
            end
            for day in await recent_days(self._state, hours, now=request.now)
            for sent in _open(day)
            if (end := await self._ended(day, sent, request)) is not None
        ]
        await self._log.append(ended)

    async def _ended(self, day: AttentionDay, sent: Sent, request: AttendInput) -> NewEvent | None:
        found = ending(sent, [e for stream in sent.notice.about for e in await self._happened(stream)], now=request.now)
        if found is None:
            return None
        minutes = round((found.at - sent.at).total_seconds() / 60, 1)
        data = NoticeEnded(day=day.day, key=sent.notice.key, outcome=found.outcome, after_minutes=minutes)
        return _event(data, request, sent.notice.key, sent.at.isoformat())

    async def _happened(self, stream: str) -> list[tuple[datetime, EventData]]:
        return [(event.at, load_event(event.type, event.data)) for event in await self._log.read(stream=stream)]


def _open(day: AttentionDay) -> Iterable[Sent]:
    """Those whose end is not known, each key once, from when it was first sent."""
    return {sent.notice.key: sent for sent in reversed(day.sent) if sent.outcome is None}.values()


def _told(choice: Choice, day: str, now: Moment) -> Iterator[tuple[EventData, tuple[str, ...]]]:
    """The events of a choice, each with what makes it unique on its day."""
    for notice in (one.notice for one in choice.interrupt):
        yield InterruptSent(day=day, notice=notice, at=now), (notice.key, notice.level.value)
    for one, why in choice.deferred:
        notice = one.notice
        deferred = NoticeDeferred(day=day, key=notice.key, kind=notice.kind, level=notice.level, why=why.value)
        yield deferred, (notice.key, notice.level.value, why.value)


def _attended(choice: Choice, seen: Attention, now: Moment) -> Attended:
    quiet = any(why is Why.QUIET for _, why in choice.deferred)
    today = len(seen.today.sent) + len(choice.interrupt)
    return Attended(
        interrupted=len(choice.interrupt),
        day=seen.today.day,
        told=tuple(Told(key=one.notice.key, level=one.notice.level) for one in choice.interrupt),
        look_again_at=quiet_until(seen.hours, now) if quiet else None,
        text=f"{today} told today, {len(choice.deferred)} left for the digest",
    )


def _event(data: EventData, request: AttendInput, *key: str) -> NewEvent:
    return new_event(data, at=request.now, key=(data.stream, *key), correlation_id=request.run_id)
