"""The numbers and sentences of a learning report. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TypedDict

from domain.experiments import Experiment
from domain.learning import MetricSummary
from domain.metrics import METRICS
from domain.policies import AutonomyPolicy
from learning.picture import Picture


class Standing(TypedDict):
    """Where every change stands, in sentences."""

    proposed: tuple[str, ...]
    refused: tuple[str, ...]
    trying: tuple[str, ...]
    ended: tuple[str, ...]
    autonomy: tuple[str, ...]


def measured(picture: Picture) -> tuple[MetricSummary, ...]:
    """Each metric over all results since the last report, in the metric's own unit."""
    values: dict[str, list[float]] = defaultdict(list)
    for run in picture.observed.runs:
        for outcome in run.outcomes:
            if picture.observed.is_new(outcome.at) and outcome.metric in METRICS:
                values[outcome.metric].append(outcome.value)
    return tuple(
        MetricSummary(metric=name, count=len(found), mean=sum(found) / len(found), bad=sum(map(METRICS[name].bad, found)))
        for name, found in sorted(values.items())
    )


def standing(picture: Picture, *, refused: Sequence[str] = ()) -> Standing:
    since = picture.observed.since
    new = [e for e in picture.experiments if e.ended_at and (since is None or e.ended_at >= since)]
    waiting = [
        f"{record.name}, version {version.version}: {version.why}"
        for record in picture.records.values()
        for version in record.proposed
        if not record.trial.endswith(f"@{version.version}")
    ]
    out = [
        f"{record.name}, version {number}: {why}"
        for record in picture.records.values()
        for number, why in record.dropped.items()
        if (version := record.version(number)) and (since is None or version.at >= since)
    ]
    grants = picture.in_force(AutonomyPolicy).document.grants.values()
    return Standing(
        proposed=tuple(waiting),
        refused=(*refused, *out),
        trying=tuple(_line(e) for e in picture.experiments if e.running),
        ended=tuple(f"{e.experiment_id} {e.ending}: {e.reason}" for e in new),
        autonomy=tuple(f"{grant.key}, since {grant.earned_at:%d %b}" for grant in grants),
    )


def _line(experiment: Experiment) -> str:
    seen = experiment.evidence
    return (
        f"{experiment.experiment_id} ({experiment.stage}): {experiment.why}; {seen.exposed_candidate} of {seen.exposed} cases "
        f"have it, {seen.matured} results. {experiment.reason}"
    ).strip()
