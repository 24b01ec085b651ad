"""Steps of the learning cycle: find what went wrong, propose what would mend it, and write it up."""

from collections.abc import Sequence
from datetime import timedelta

from temporalio import activity

from activities.back_testing import BackTester
from activities.explaining import Explainer
from activities.looking_back import look_back
from activities.refitting import Refitter
from activities.rewording import Reworder
from activities.shelf import ShelfWatch
from activities.steps import Learned, LearnInput
from domain.errors import Retryable, VersionConflict
from domain.event import EventData, NewEvent, new_event
from domain.experiments import Experiment
from domain.failures import FailureFound
from domain.flags import LEARNING
from domain.learning import Candidate, LearningReport, LearningReported
from domain.model import Moment
from domain.policies import PolicyRecord
from domain.ports import EventLog, Facts, Flags, Policies, State
from domain.runs import Alert, AlertLevel, AlertRaised
from domain.wording import counted
from learning import failures as bad
from learning import steering
from learning.assignment import BLOCK_SHARE, BLOCKS, ramp
from learning.candidates import data
from learning.discovery import next_level
from learning.drafts import Draft, drafts
from learning.failure_classifier import FailureClassifier
from learning.fix_queue import rank
from learning.fixability import learned
from learning.picture import Picture
from learning.report import text_of
from learning.static_checks import customers_names, customers_words, refusals, under_way
from learning.summaries import measured, standing

_TRIAL = timedelta(days=28)
_QUESTION = "question/"  # how the keys of alerts begin that ask for data
_PATIENCE = timedelta(days=14)  # a question that is open for longer is being ignored
_DISPUTED = timedelta(days=14)  # how far back sources that disagree are looked for
_CONFIRMED = 0.1  # of the labels of failures, the share the operator is asked to confirm


class LearningActivities:
    def __init__(
        self,
        *,
        log: EventLog,
        state: State,
        policies: Policies,
        facts: Facts,
        flags: Flags,
        explainer: Explainer,
        refitter: Refitter,
        reworder: Reworder,
        tester: BackTester,
        shelf: ShelfWatch,
    ) -> None:
        self._log = log
        self._state = state
        self._policies = policies
        self._facts = facts
        self._flags = flags
        self._explainer = explainer
        self._refitter = refitter
        self._reworder = reworder
        self._tester = tester
        self._shelf = shelf

    @activity.defn
    async def measure_shelf(self, request: LearnInput) -> Learned:
        """Count how well the shelf serves for the replenishment runs of the day."""
        count = await self._shelf.measure(now=request.now)
        return Learned(count=count, text=f"{counted(count, 'run')} measured by the shelf")

    @activity.defn
    async def find_failures(self, request: LearnInput) -> Learned:
        """Record every new bad result with its mode and root cause; a sample is marked for the operator to confirm."""
        picture = await look_back(self._state, self._policies, now=request.now)
        known = {f.failure_id for f in picture.failures}
        found = bad.find(picture.observed, classifier=FailureClassifier.taught_by(picture.failures))
        new = [f for f in found if f.failure_id not in known]
        fresh = await self._explainer.explained(new, picture.observed, now=request.now)
        asked = {f.failure_id: f for f in bad.sample_to_confirm(fresh, share=_CONFIRMED, salt=request.day)}
        await self._append([FailureFound(failure=asked.get(f.failure_id, f)) for f in fresh], request)
        return Learned(count=len(fresh), text=counted(len(fresh), "new failure"))

    @activity.defn
    async def propose_changes(self, request: LearnInput) -> Learned:
        """Ask for missing data, propose what the past calls for, and begin a trial where the past proves it."""
        picture = await look_back(self._state, self._policies, now=request.now)
        await self._ask(picture, request)
        if not (await self._flags.evaluate(LEARNING, unit=request.day)).value:
            return Learned(text="learning is switched off: nothing is proposed")
        stock, reworded, refit = [await source.draft(picture) for source in (self._tester, self._reworder, self._refitter)]
        against = [await self._propose(draft, picture, request) for draft in (*drafts(picture), *stock, *reworded, *refit)]
        refused = tuple(reason for reason in against if reason)
        count = against.count("")
        return Learned(count=count, text=f"{counted(count, 'change')} proposed, {len(refused)} not", refused=refused)

    @activity.defn
    async def report_learning(self, request: LearnInput) -> Learned:
        """The page of the day: what happened, what to mend first, what is tried, what ended and on what evidence."""
        picture = await look_back(self._state, self._policies, now=request.now)
        questions = [a for a in await self._state.find(Alert) if a.key.startswith(_QUESTION)]
        answered = sum(not a.open for a in questions)
        ignored = sum(a.open and a.at < request.now - _PATIENCE for a in questions)
        fixability = learned(picture.experiments, questions_answered=answered, questions_ignored=ignored)
        report = LearningReport(
            day=request.day,
            at=request.now,
            since=picture.observed.since,
            outcomes=measured(picture),
            queue=rank(picture.failures, now=request.now, fixability=fixability),
            questions=tuple(a.text for a in questions if a.open),
            **standing(picture, refused=request.refused),
        )
        told = report.model_copy(update={"text": text_of(report)})
        await self._append([LearningReported(report=told)], request, str(request.now))
        return Learned(count=len(report.queue), text=told.text)

    async def _ask(self, picture: Picture, request: LearnInput) -> None:
        """Each question once, whatever became of it."""
        observed = picture.observed
        disputes = await self._facts.disputed(since=request.now - _DISPUTED)
        fixes = data.lead_time_fixes(observed.suppliers, observed.purchase_orders)
        questions = data.questions(picture.failures, products=observed.products, disputes=disputes)
        asked = (*questions, *(fix.question for fix in fixes))
        new = {q.key: q for q in asked if q.key not in picture.alerts}
        await self._append([AlertRaised(alert=_question(q, request.now)) for q in new.values()], request)

    async def _propose(self, draft: Draft, picture: Picture, request: LearnInput) -> str | None:
        """Propose one change, or say what speaks against it; None where it is proposed or tried already.

        Each reads the policy as it is by then.
        """
        candidate = draft.candidate
        seen = await self._state.version(PolicyRecord, candidate.policy)
        record = await self._state.get(PolicyRecord, candidate.policy) or PolicyRecord(name=candidate.policy)
        record, gave_way = await self._giving_way(draft, record, request.now)
        if under_way(candidate, record):
            return None
        texts, names = customers_words(picture.observed.tickets), customers_names(picture.observed.tickets)
        against = refusals(candidate, record, texts=texts, names=names, failures=picture.failures, now=request.now)
        passed, reason = draft.judged()
        if against or not passed:
            return f"{candidate.policy}: {candidate.why}. {'; '.join(against) or reason}"
        tried = await self._state.find(Experiment)
        events = self._begin(record, candidate.model_copy(update={"checked": reason}), tried, request.now)
        await self._change(record, [*gave_way, *events], seen, request)
        return ""

    async def _giving_way(self, draft: Draft, record: PolicyRecord, now: Moment) -> tuple[PolicyRecord, tuple[EventData, ...]]:
        """The policy without the trial that the draft takes the place of, and what says so."""
        trial = await self._state.get(Experiment, draft.instead_of) if draft.instead_of else None
        if trial is None or record.trial != trial.experiment_id:
            return record, ()
        events = steering.stopped(trial, record, by=steering.LEARNER, hard=False, why=steering.GAVE_WAY, now=now)
        return steering.folded(record, events), events

    def _begin(self, record: PolicyRecord, candidate: Candidate, tried: Sequence[Experiment], now: Moment) -> list[EventData]:
        """The proposal, and its trial; or the question to the operator, where only they may let it happen."""
        proposed, version = steering.propose(record, candidate, now=now)
        if candidate.ratify:
            return [proposed, AlertRaised(alert=_ratify(candidate, version.version, now))]
        trial = steering.begin(
            proposed.fold(record),
            version,
            candidate,
            level=next_level(tried),
            share=BLOCK_SHARE if candidate.block_days else ramp(0, candidate.risk),
            expires_at=now + (BLOCKS * timedelta(days=candidate.block_days) or _TRIAL),
            now=now,
        )
        return [proposed, *trial]

    async def _change(self, record: PolicyRecord, events: Sequence[EventData], seen: int, request: LearnInput) -> None:
        named = self._named(events, request, f"{record.name}@{record.next_version}")
        try:
            await self._log.append(named, expected={f"policy/{record.name}": seen})
        except VersionConflict as moved:
            raise Retryable(f"the policy {record.name} moved meanwhile") from moved

    async def _append(self, events: Sequence[EventData], request: LearnInput, occurrence: str = "") -> None:
        await self._log.append(self._named(events, request, occurrence))

    def _named(self, events: Sequence[EventData], request: LearnInput, occurrence: str) -> list[NewEvent]:
        return [
            new_event(e, at=request.now, key=(e.stream, occurrence), correlation_id=request.run_id, actor=steering.LEARNER)
            for e in events
        ]


def _question(question: data.Question, now: Moment) -> Alert:
    return Alert(key=question.key, level=AlertLevel.INFO, text=question.text, what_to_do=question.what_to_do, at=now)


def _ratify(candidate: Candidate, version: int, now: Moment) -> Alert:
    return Alert(
        key=f"ratify/{candidate.policy}@{version}",
        level=AlertLevel.INFO,
        text=f"Steward proposes: {candidate.why}"[:2_000],
        what_to_do=f"`./steward policies ratify {candidate.policy} {version}`, or `policies drop {candidate.policy} {version}`",
        at=now,
    )
