"""What changes when a trial begins, wins, loses, or the operator steps in: the events of each, all or none. Pure."""

from collections.abc import Sequence

from domain.actions import Risk
from domain.errors import DecisionRefused, InvalidInput, NotFound
from domain.event import EventData
from domain.experiments import Ending, Experiment, ExperimentJudged, ExperimentStarted, Stage
from domain.learning import Candidate
from domain.model import Moment
from domain.policies import (
    POLICY_TYPES,
    PolicyActivated,
    PolicyDropped,
    PolicyProposed,
    PolicyRecord,
    PolicyTrialEnded,
    PolicyTrialStarted,
    PolicyVersion,
)
from learning.assignment import HOLDOUT_SHARE
from learning.documents import document_of, in_force
from learning.merging import merged

LEARNER, VERDICT = "learner", "verdict"
GAVE_WAY = "gave way to a candidate whose replay proves what this trial has not"


def propose(record: PolicyRecord, candidate: Candidate, *, now: Moment) -> tuple[PolicyProposed, PolicyVersion]:
    """The candidate as the policy's next version. Raises InvalidInput where it was made from a version not in force any more."""
    if candidate.parent != record.active:
        raise InvalidInput(f"{record.name} is at version {record.active}, not {candidate.parent}", hint="propose it anew")
    version = PolicyVersion(
        version=record.next_version,
        document=candidate.document,
        proposed_by=LEARNER,
        at=now,
        why=f"{candidate.why} ({candidate.checked})" if candidate.checked else candidate.why,
        parent=candidate.parent,
        risk=candidate.risk,
    )
    return PolicyProposed(name=record.name, version=version), version


def begin(
    record: PolicyRecord,
    version: PolicyVersion,
    candidate: Candidate,
    *,
    level: float,
    share: float,
    expires_at: Moment,
    now: Moment,
) -> tuple[EventData, ...]:
    """Start a trial of a proposed version. Raises InvalidInput where another one runs on the policy."""
    if record.trial:
        raise InvalidInput(f"{record.trial} is running on the policy {record.name}", hint="one experiment a policy at a time")
    experiment_id = f"{record.name}@{version.version}"
    experiment = Experiment(
        experiment_id=experiment_id,
        policy=record.name,
        control=record.active,
        candidate=version.version,
        risk=version.risk,
        objectives=candidate.objectives,
        scope=candidate.scope,
        block_days=candidate.block_days,
        salt=experiment_id,
        level=level,
        prior=candidate.evidence,
        cause=candidate.cause,
        why=candidate.why,
        examples=candidate.examples,
        share=share,
        started_at=now,
        expires_at=expires_at,
    )
    return PolicyTrialStarted(name=record.name, experiment_id=experiment_id), ExperimentStarted(experiment=experiment)


def concluded(experiment: Experiment, record: PolicyRecord, judged: ExperimentJudged) -> tuple[EventData, ...]:
    """The judgement and what follows from it for the policy, to be appended together."""
    events: list[EventData] = [judged]
    if judged.stage is Stage.HOLDOUT and experiment.stage is not Stage.HOLDOUT:
        events.append(_promotion(experiment, record, judged))
    if judged.stage is Stage.ENDED:
        events += _ending(experiment, record, judged)
    return tuple(events)


def ratified(experiment: Experiment, record: PolicyRecord, *, by: str, now: Moment) -> tuple[EventData, ...]:
    """The operator lets a winner go on to everybody."""
    if not experiment.awaits_operator:
        raise DecisionRefused(f"{experiment.experiment_id} does not wait for you", hint="see `./steward experiments`")
    judged = _by_hand(experiment, Stage.HOLDOUT, by=by, now=now, share=HOLDOUT_SHARE, reason=f"ratified by {by}")
    return concluded(experiment, record, judged)


def approved(record: PolicyRecord, number: int, *, by: str, now: Moment) -> tuple[EventData, ...]:
    """The operator brings a proposed version into force, or its change where another version came into force meanwhile.

    Raises NotFound, DecisionRefused for the one who proposed it, Stale where both changed the same thing.
    """
    version = record.version(number)
    if version is None or version not in record.proposed:
        raise NotFound(f"no version {number} of {record.name} is proposed", hint=f"`./steward policies show {record.name}`")
    if version.proposed_by == by:
        raise DecisionRefused(f"{by} proposed version {number} of {record.name} and cannot approve it", hint="another one must")
    if version.parent == record.active:
        return (PolicyActivated(name=record.name, version=version.model_copy(update={"approved_by": by, "at": now})),)
    return _rebased(record, version, by=by, now=now)


def stopped(experiment: Experiment, record: PolicyRecord, *, by: str, hard: bool, why: str, now: Moment) -> tuple[EventData, ...]:
    """The operator takes a trial back, whatever its stage. ``hard``: runs in flight leave the candidate at once."""
    if not experiment.running:
        raise DecisionRefused(f"{experiment.experiment_id} has ended", hint="see `./steward experiments`")
    ending = Ending.REVERTED if experiment.stage is Stage.HOLDOUT else Ending.STOPPED
    judged = _by_hand(experiment, Stage.ENDED, by=by, now=now, ending=ending, hard=hard, reason=why or f"stopped by {by}")
    return concluded(experiment, record, judged)


def folded(record: PolicyRecord, events: Sequence[EventData]) -> PolicyRecord:
    """The policy after what happened to it; other things among the events leave it as it is."""
    for event in events:
        if event.entity is PolicyRecord and event.stream == f"policy/{record.name}":
            record = PolicyRecord.model_validate(event.fold(record))
    return record


def earlier(record: PolicyRecord, *, by: str, now: Moment, why: str) -> PolicyActivated:
    """The version before the one in force, again. Raises NotFound where there is none."""
    version = record.in_force
    if version is None:
        raise NotFound(f"{record.name} has never been changed", hint="there is nothing to roll back")
    return _again(record, version.parent, by=by, now=now, why=why)


def _rebased(record: PolicyRecord, version: PolicyVersion, *, by: str, now: Moment) -> tuple[EventData, ...]:
    """The change that the version makes to its parent, made to what is in force now; as a version of its own."""
    number = record.next_version
    activated = version.model_copy(
        update={
            "version": number,
            "document": merged(document_of(record, version.parent), in_force(record), version.document),
            "approved_by": by,
            "at": now,
            "parent": record.active,
        }
    )
    why = f"in force as version {number}"
    dropped = PolicyDropped(name=record.name, number=version.version, why=why, by=by)
    return PolicyActivated(name=record.name, version=activated), dropped


def _by_hand(
    experiment: Experiment,
    stage: Stage,
    *,
    by: str,
    now: Moment,
    reason: str,
    share: float | None = None,
    ending: Ending | None = None,
    hard: bool = False,
) -> ExperimentJudged:
    return ExperimentJudged(
        experiment_id=experiment.experiment_id,
        evidence=experiment.evidence,
        stage=stage,
        share=experiment.share if share is None else share,
        at=now,
        ending=ending,
        hard=hard,
        reason=reason,
        by=by,
    )


def _promotion(experiment: Experiment, record: PolicyRecord, judged: ExperimentJudged) -> PolicyActivated:
    version = record.version(experiment.candidate)
    if version is None:
        raise NotFound(f"{record.name} has no version {experiment.candidate}", hint="its proposal is missing from the log")
    approver = f"{VERDICT}/{experiment.experiment_id}" if judged.by == VERDICT else judged.by
    why = f"{version.why} ({judged.reason})" if judged.reason else version.why
    return PolicyActivated(
        name=record.name, version=version.model_copy(update={"approved_by": approver, "at": judged.at, "why": why})
    )


def _ending(experiment: Experiment, record: PolicyRecord, judged: ExperimentJudged) -> list[EventData]:
    """A trial that did not end well takes its version with it; one that had been promoted gives way to the old one."""
    events: list[EventData] = [
        PolicyTrialEnded(name=record.name, experiment_id=experiment.experiment_id, hard=judged.hard, at=judged.at)
    ]
    if judged.ending in (Ending.PROMOTED, Ending.SHIPPED):
        shipped = judged.ending is Ending.SHIPPED and record.active != experiment.candidate
        return [*events, _promotion(experiment, record, judged)] if shipped else events
    if record.active == experiment.candidate:
        events.append(_again(record, experiment.control, by=judged.by, now=judged.at, why=judged.reason))
    return [*events, PolicyDropped(name=record.name, number=experiment.candidate, why=judged.reason, by=judged.by)]


def _again(record: PolicyRecord, number: int, *, by: str, now: Moment, why: str) -> PolicyActivated:
    """An earlier version as it was; the built-in default comes as a version of its own, since 0 is none."""
    version = record.version(number)
    if version is not None:
        return PolicyActivated(name=record.name, version=version.model_copy(update={"approved_by": by, "at": now, "why": why}))
    default = PolicyVersion(
        version=record.next_version,
        document=POLICY_TYPES[record.name]().model_dump(mode="json"),
        proposed_by=VERDICT if by != VERDICT else LEARNER,
        approved_by=by,
        at=now,
        why=why or "what Steward comes with, again",
        parent=record.active,
        risk=Risk.R0,
    )
    return PolicyActivated(name=record.name, version=default)
