"""What the learning pages know: proposals, trials with their evidence, what earned autonomy, and how it went over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import dropwhile
from typing import Any

from scipy.special import betaincinv

from console.charts import Band, Chart, bars, evidence, line
from console.tiles import filled, known, minutes, percent, shares
from domain.autonomy import ClassRecord, Grant
from domain.errors import NotFound
from domain.experiments import Experiment
from domain.failures import Failure
from domain.learning import LearningReport
from domain.model import Moment
from domain.policies import POLICY_TYPES, AutonomyPolicy, PolicyActivated, PolicyRecord, PolicyVersion
from learning.autonomy import has_earned, limit_of, speaking
from learning.documents import changed, document_of, in_force
from learning.evidence import HARM_LIMIT
from learning.verdict import win_limit
from memory.figures import Days, Figure, Series
from memory.memory import Memory

_WEEKS = 12
_REPORTS = 14
_TAIL = 0.1  # of the band around a share, on either side
_TRIALS = 100
_CLASSES = 200
Differences = list[tuple[str, str, str]]
"""(field, before, after)."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A version that waits for the operator's word. ``standing`` ones come from what the operator decided again and again:
    ``records`` says of each class that would go on alone what was done with it."""

    policy: str
    version: PolicyVersion
    changes: Differences
    records: list["ClassStanding"]

    @property
    def standing(self) -> bool:
        return bool(self.records)


@dataclass(frozen=True, kw_only=True)
class ClassStanding:
    """A class of actions: what the operator did with it, how sure one can be, and whether it may act alone."""

    record: ClassRecord
    bound: float  # the share of corrections that the true one is under
    limit: float
    earned: bool
    grant: Grant | None
    refused: bool


@dataclass(frozen=True, kw_only=True)
class Overview:
    report: LearningReport | None
    earlier: list[LearningReport]
    proposals: list[Proposal]
    running: list[Experiment]
    unsure: list[Failure]  # whose cause the operator is asked to confirm


@dataclass(frozen=True, kw_only=True)
class Trial:
    experiment: Experiment
    record: PolicyRecord
    changes: Differences
    gain_limit: float

    @property
    def chart(self) -> Chart:
        return evidence("Evidence so far", self.experiment.curve, gain_limit=self.gain_limit, harm_limit=HARM_LIMIT)


async def overview(memory: Memory) -> Overview:
    reports = await memory.views.page(LearningReport, limit=_REPORTS)
    tried = await memory.views.page(Experiment, limit=_TRIALS)
    return Overview(
        report=reports[0] if reports else None,
        earlier=reports[1:],
        proposals=await proposals(memory),
        running=[experiment for experiment in tried if experiment.running],
        unsure=await memory.views.page(Failure, limit=10, asked="true", confirmed="false"),
    )


async def proposals(memory: Memory) -> list[Proposal]:
    """What waits for the operator's word and is not being tried, the latest first."""
    records = await memory.state.find(PolicyRecord)
    waiting = [(r, v) for r in records for v in r.proposed if not r.trial.endswith(f"@{v.version}")]
    found = [await _proposal(memory, record, version) for record, version in waiting]
    return sorted(found, key=lambda p: p.version.at, reverse=True)


async def _proposal(memory: Memory, record: PolicyRecord, version: PolicyVersion) -> Proposal:
    return Proposal(
        policy=record.name,
        version=version,
        changes=differences(record, version.parent, version.version),
        records=await _would_go_alone(memory, record, version),
    )


async def _would_go_alone(memory: Memory, record: PolicyRecord, version: PolicyVersion) -> list[ClassStanding]:
    if record.name != "autonomy":
        return []
    policy = AutonomyPolicy.model_validate(version.document)
    new = policy.grants.keys() - AutonomyPolicy.model_validate(document_of(record, version.parent)).grants.keys()
    records = await memory.views.page(ClassRecord, limit=_CLASSES)
    return [_standing(policy, await memory.state.get(ClassRecord, key) or ClassRecord(key=key), records) for key in sorted(new)]


async def classes(memory: Memory) -> list[ClassStanding]:
    """What acts alone first, then what was looked at most."""
    policy = (await memory.policies.in_force(AutonomyPolicy)).document
    records = {record.key: record for record in await memory.views.page(ClassRecord, limit=_CLASSES)}
    keys = (*policy.grants, *(key for key in records if key not in policy.grants))
    everything = tuple(records.values())
    found = [_standing(policy, records.get(key) or ClassRecord(key=key), everything) for key in keys]
    return sorted(found, key=lambda c: (c.grant is None, -c.record.reviewed, c.record.key))


def without_grant(record: PolicyRecord, key: str, *, by: str, at: Moment) -> PolicyActivated:
    """The class asks again, and is not proposed any more. Raises NotFound where it does not act alone."""
    policy = AutonomyPolicy.model_validate(in_force(record))
    if key not in policy.grants:
        raise NotFound(f"{key[:80]!r} does not act alone", hint="load the page again")
    grants = {name: grant for name, grant in policy.grants.items() if name != key}
    less = policy.model_copy(update={"grants": grants, "refused": (*policy.refused, key)})
    version = PolicyVersion(
        version=record.next_version,
        document=less.model_dump(mode="json"),
        proposed_by=by,
        approved_by=by,
        at=at,
        why=f"{key} was taken back, and asks again",
        parent=record.active,
    )
    return PolicyActivated(name=record.name, version=version)


def _standing(policy: AutonomyPolicy, record: ClassRecord, records: Sequence[ClassRecord]) -> ClassStanding:
    return ClassStanding(
        record=record,
        bound=speaking(record, records).bound(policy.certainty),
        limit=limit_of(policy, record.key),
        earned=has_earned(policy, record, records),
        grant=policy.grants.get(record.key),
        refused=record.key in policy.refused,
    )


def differences(record: PolicyRecord, before: int, after: int) -> Differences:
    """Between two versions of a policy; 0 is what Steward comes with."""
    found = changed(document_of(record, before), document_of(record, after))
    return [(path, words(was), words(is_)) for path, (was, is_) in found.items()]


def words(value: Any) -> str:
    """A value of a document for people; what is not there is nothing."""
    if value is None or value in ([], {}, ()):
        return "nothing"
    return str(value)


async def trial(memory: Memory, experiment_id: str) -> Trial:
    """Raises NotFound."""
    experiment = await memory.state.get(Experiment, experiment_id)
    if experiment is None:
        raise NotFound("there is no such trial", hint="the list shows those there were")
    record = await memory.state.get(PolicyRecord, experiment.policy) or PolicyRecord(name=experiment.policy)
    return Trial(
        experiment=experiment,
        record=record,
        changes=differences(record, experiment.control, experiment.candidate) if experiment.policy in POLICY_TYPES else [],
        gain_limit=win_limit(experiment.risk, experiment.level),
    )


async def charts(memory: Memory, *, now: datetime, zone: str) -> list[Chart]:
    """Of the last twelve weeks. Shares are of whole weeks, since a day has too few cases to say much."""
    days = Days.until(now, zone=zone, count=7 * _WEEKS)
    names = (
        *(Figure.JUDGED, Figure.RIGHT, Figure.OPENED, Figure.HANDED_OVER, Figure.FIRST_RESPONSE),
        *(Figure.SPENT, Figure.IMPRESSIONS, Figure.CLICKS, Figure.DECIDED, Figure.CHANGED),
    )
    series = await memory.figures.by_day(names, days)
    rates = shares(series[Figure.CLICKS], series[Figure.IMPRESSIONS], days)
    alone = (await memory.policies.in_force(AutonomyPolicy)).document.text_limit
    return [
        _share("Triage was right", weeks(series, Figure.RIGHT, Figure.JUDGED, days), note="of the tickets you looked at"),
        _share("Left to you", weeks(series, Figure.HANDED_OVER, Figure.OPENED, days), note="of the tickets that came"),
        _share(
            "Corrected by you",
            weeks(series, Figure.CHANGED, Figure.DECIDED, days),
            note="of what you decided",
            limit=(alone, "under it, texts may act alone"),
        ),
        line(
            "First response",
            _with(days, known(series[Figure.FIRST_RESPONSE], days)),
            words=minutes,
            note="median of a day, from when a message came in",
        ),
        line("Click-through rate", _with(days, rates), words=lambda v: f"{v * 100:.1f} %", note="of all pages, by day"),
        bars("Spent on models", _spent(series, days), words=lambda v: f"${v:.2f}", note="US dollars a day, the last four weeks"),
    ]


@dataclass(frozen=True)
class Week:
    """``part`` of ``whole`` in the week that begins on ``day``."""

    day: date
    part: float
    whole: float

    @property
    def share(self) -> float | None:
        return self.part / self.whole if self.whole else None

    def likely(self, tail: float) -> float:
        """The share that the true one is under with this probability (Beta posterior, Jeffreys' prior)."""
        return float(betaincinv(0.5 + min(self.part, self.whole), 0.5 + max(self.whole - self.part, 0.0), tail))


def weeks(series: Series, part: Figure, whole: Figure, days: Days) -> list[Week]:
    """From the first week on that has any."""
    found = [Week(day, _of_week(series[part], day), _of_week(series[whole], day)) for day in days.each[::7]]
    return list(dropwhile(lambda week: not week.whole, found))


def _of_week(of_day: dict[date, Decimal], begin: date) -> float:
    return float(sum(of_day.get(begin + timedelta(days=n), Decimal(0)) for n in range(7)))


def _share(title: str, found: list[Week], *, note: str, limit: tuple[float, str] | None = None) -> Chart:
    """By week, with how far it may be from the truth: a week of a small shop has few cases."""
    low, high = ([week.likely(tail) for week in found] for tail in (_TAIL, 1 - _TAIL))
    points = [(week.day, week.share) for week in found]
    band = Band(low=low, high=high, words=f"the true share, {1 - 2 * _TAIL:.0%} sure")
    return line(title, points, words=percent, band=band, limit=limit, note=f"{note}, by week")


def _with(days: Days, values: list[float | None]) -> list[tuple[date, float | None]]:
    return list(zip(days.each, values, strict=True))


def _spent(series: Series, days: Days) -> list[tuple[date, float]]:
    return list(zip(days.each, filled(series[Figure.SPENT], days), strict=True))[-28:]
