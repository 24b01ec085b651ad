"""Steps of the nightly upkeep of memory. Each may be repeated at any time: what is done already stays as it is."""

from datetime import datetime, timedelta

import structlog
from temporalio import activity

from agents.recall_canary import Canary, Sighting, remembered
from agents.summariser import Summariser
from domain.errors import LogError, Retryable, SetupError
from domain.event import EventData, NewEvent, new_event
from domain.ids import digest
from domain.model import Moment, Name, Value
from domain.policies import RetentionPolicy
from domain.ports import Anchors, Archive, EventLog, Inbox, Leftovers, Policies, Recall, State
from domain.retention import (
    Anchor,
    ArchivedMonth,
    CanaryRecorded,
    MonthArchived,
    Place,
    RecallCanary,
    Segment,
    SummaryWritten,
    Upkeep,
    UpkeepDone,
    month_of,
)
from domain.runs import Alert, AlertLevel, AlertRaised

_log = structlog.get_logger(__name__)

_DAY = timedelta(days=1)
_DELIVERIES_AT_ONCE = 500  # in one transaction
_SLACK = timedelta(hours=1)  # a night that begins a little earlier than the last is still the next night


class UpkeepInput(Value):
    """``run_id`` is the workflow's id."""

    run_id: Name
    now: Moment


class Verified(Value):
    events: int
    whole: bool
    problem: str = ""


class Summarised(Value):
    written: int
    refused: int = 0


class Archived(Value):
    """``partition`` is the month that was archived; empty where none was due."""

    partition: str = ""
    problem: str = ""


class RecallChecked(Value):
    """``asked`` is 0 where it was not due; ``reindexed`` counts the texts of an index that was made anew."""

    found: int = 0
    asked: int = 0
    reindexed: int = 0


class Blanked(Value):
    deliveries: int


class UpkeepNote(Value):
    run_id: Name
    upkeep: Upkeep


class UpkeepActivities:
    def __init__(
        self,
        *,
        log: EventLog,
        state: State,
        policies: Policies,
        anchors: Anchors,
        archive: Archive,
        leftovers: Leftovers,
        summariser: Summariser,
        canary: Canary,
        recall: Recall,
        inbox: Inbox,
    ) -> None:
        self._log = log
        self._state = state
        self._policies = policies
        self._anchors = anchors
        self._archive = archive
        self._leftovers = leftovers
        self._summariser = summariser
        self._canary = canary
        self._recall = recall
        self._inbox = inbox

    @activity.defn
    async def verify_log(self, request: UpkeepInput) -> Verified:
        """From the last anchor on, or the whole log, which must contain it, where that is due.

        A good head is anchored, a bad one is an alert.
        """
        policy = await self._policy()
        last, last_whole = await self._anchors.last(), await self._anchors.last(whole=True)
        whole = last is None or _is_due(last_whole.at if last_whole else None, policy.verify_whole_after_days, request.now)
        head = last.head if last else None
        result = await (self._log.verify(anchor=head) if whole else self._log.verify(since=head))
        if result.ok:
            await self._anchor(request, Anchor(head=result.head, at=request.now, whole=whole))
        else:
            what_to_do = "stop new effects with `./steward kill`, keep the database as it is, and compare it with a backup"
            await self._alert(request, "log-broken", f"the log does not verify: {result.problem}", what_to_do, AlertLevel.URGENT)
        return Verified(events=result.events, whole=whole, problem=result.problem)

    async def _anchor(self, request: UpkeepInput, anchor: Anchor) -> None:
        """Where the disk refuses, the night's other work goes on."""
        try:
            await self._anchors.note(anchor)
        except SetupError as error:
            await self._alert(request, "anchors", error.message, error.hint, AlertLevel.WARNING)

    @activity.defn
    async def summarise(self, request: UpkeepInput) -> Summarised:
        """Sum up what was closed long enough ago, as many as the policy allows a night."""
        policy = await self._policy()
        before = request.now - policy.summarise_after_days * _DAY
        written = refused = 0
        async for subject in self._summariser.due(before=before):
            if written + refused >= policy.summaries_per_night:
                break
            attempt = await self._summariser.summarise(subject, before=before, now=request.now)
            if attempt is None:
                continue
            if attempt.summary is None:
                refused += 1
                _log.warning("a summary says what stands in no source", subject=subject, unsupported=attempt.unsupported)
                continue
            key = (subject, attempt.summary.until.isoformat(), digest(attempt.summary.text))
            await self._append(request, SummaryWritten(summary=attempt.summary), *key)
            written += 1
        return Summarised(written=written, refused=refused)

    @activity.defn
    async def archive_month(self, request: UpkeepInput) -> Archived:
        """Archive the oldest month that is due; where none is, drop what was kept for work that is over.

        A month that cannot be archived is an alert, and stays in the database.
        """
        policy = await self._policy()
        for month in await self._state.find(ArchivedMonth):
            if month.archived and month.at == request.now:  # an earlier attempt did it, and its answer was lost
                return Archived(partition=month.manifest.partition)
        for segment in await self._archive.segments():
            if not await self._to_archive(segment, policy, request.now):
                continue
            try:
                manifest = await self._archive.seal(segment.partition)
                left = MonthArchived(manifest=manifest, at=request.now)
                event = self._event(request, left, segment.partition, request.now.isoformat())
                await self._archive.detach(manifest, event)
            except (LogError, SetupError) as error:
                await self._alert(request, f"archive/{segment.partition}", error.message, error.hint, AlertLevel.WARNING)
                return Archived(problem=error.message)
            return Archived(partition=segment.partition)
        dropped = await self._leftovers.drop(before=request.now - policy.keep_papers_days * _DAY)
        _log.info("dropped what was kept for work that is over", things=dropped)
        return Archived()

    @activity.defn
    async def check_recall(self, request: UpkeepInput) -> RecallChecked:
        """Ask recall what it must know; where too little is found, raise an alert and make the vector index anew."""
        policy = await self._policy()
        known = await self._state.get(RecallCanary, "recall")
        if not _is_due(known.at if known else None, policy.check_recall_after_days, request.now):
            return RecallChecked()
        recorded = known.pairs if known else ()
        sighting = await self._canary.look(recorded, sample=policy.recall_sample)
        reindexed = 0
        if sighting.under(policy.recall_floor):
            reindexed = await self._made_anew()
            after = await self._canary.look(recorded, sample=policy.recall_sample)
            await self._alert_recall(request, sighting, after, policy.recall_floor)
            sighting = after
        canary = RecallCanary(pairs=remembered(recorded, sighting), at=request.now)
        await self._append(request, CanaryRecorded(canary=canary), request.now.isoformat())
        return RecallChecked(found=len(sighting.found), asked=sighting.asked, reindexed=reindexed)

    @activity.defn
    async def blank_deliveries(self, request: UpkeepInput) -> Blanked:
        """Forget what came in byte for byte, once it was understood long enough ago. What nobody understood yet stays."""
        before = request.now - (await self._policy()).keep_raw_days * _DAY
        total = 0
        while count := await self._inbox.blank(before=before, at=request.now, limit=_DELIVERIES_AT_ONCE):
            total += count
        return Blanked(deliveries=total)

    @activity.defn
    async def record_upkeep(self, note: UpkeepNote) -> None:
        """One record a day; a second run on the day replaces it."""
        upkeep = note.upkeep
        await self._append(UpkeepInput(run_id=note.run_id, now=upkeep.at), UpkeepDone(upkeep=upkeep), upkeep.at.isoformat())

    async def _policy(self) -> RetentionPolicy:
        return (await self._policies.in_force(RetentionPolicy)).document

    async def _to_archive(self, segment: Segment, policy: RetentionPolicy, now: Moment) -> bool:
        """Over, with events, in the database, old enough, and not put back by the operator a few days ago."""
        if segment.place is not Place.DATABASE or not segment.over or segment.empty:
            return False
        if month_of(segment.partition) >= months_before(now, policy.keep_months):
            return False
        month = await self._state.get(ArchivedMonth, segment.partition)
        return month is None or month.at + policy.keep_attached_days * _DAY <= now

    async def _made_anew(self) -> int:
        """The number of texts that were indexed; 0 where the index cannot be reached."""
        try:
            return await self._recall.reindex()
        except Retryable as error:
            _log.warning("the vector index cannot be made anew", error=str(error))
            return 0

    async def _alert_recall(self, request: UpkeepInput, before: Sighting, after: Sighting, floor: float) -> None:
        lost = ", ".join(pair.passage_id for pair in (after.lost or before.lost)[:5])
        text = f"recall found {len(before.found)} of {before.asked} texts that it must know, under the floor of {floor:.0%}"
        text += f"; with a new index it finds {len(after.found)} (not found: {lost})"
        healed = not after.under(floor)
        what_to_do = "nothing; look again if it comes back" if healed else "see `./steward status` and `./steward doctor`"
        await self._alert(request, "recall", text, what_to_do, AlertLevel.INFO if healed else AlertLevel.WARNING)

    async def _alert(self, request: UpkeepInput, key: str, text: str, what_to_do: str, level: AlertLevel) -> None:
        raised = Alert(key=key, level=level, text=text, what_to_do=what_to_do, run_id=request.run_id, at=request.now)
        await self._append(request, AlertRaised(alert=raised), key, request.now.isoformat())

    async def _append(self, request: UpkeepInput, data: EventData, *key: str) -> None:
        await self._log.append([self._event(request, data, *key)])

    def _event(self, request: UpkeepInput, data: EventData, *key: str) -> NewEvent:
        return new_event(data, at=request.now, key=key, correlation_id=request.run_id)


def months_before(moment: datetime, months: int) -> datetime:
    """The first moment of the month ``months`` before that of ``moment``."""
    years, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    return moment.replace(year=years, month=month + 1, day=1, hour=0, minute=0, second=0, microsecond=0)


def _is_due(last: datetime | None, days: float, now: datetime) -> bool:
    return last is None or now - last >= days * _DAY - _SLACK
