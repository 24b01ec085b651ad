"""One canary lived case by case through the real assignment and verdict, and its log judged again as read back."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from bench.canary_simulation import Shop
from domain.actions import Risk
from domain.event import EventData
from domain.experiments import (
    Arm,
    Experiment,
    ExperimentJudged,
    ExperimentStarted,
    Exposure,
    ExposureMatured,
    ExposureRecorded,
    Objective,
)
from learning.assignment import arm
from learning.blocks import by_unit, results
from learning.verdict import Judgement, judge

_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_METRIC = "corrected"
_TYPES: dict[str, type[EventData]] = {t.type: t for t in (ExperimentStarted, ExperimentJudged, ExposureRecorded, ExposureMatured)}


@dataclass
class Folded:
    """What the events so far add up to."""

    experiment: Experiment
    exposures: dict[str, Exposure] = field(default_factory=dict)

    def apply(self, event: EventData) -> None:
        if isinstance(event, ExperimentJudged):
            self.experiment = event.fold(self.experiment)
        if isinstance(event, ExposureRecorded):
            run_id = event.exposure.run_id
            self.exposures[run_id] = event.fold(self.exposures.get(run_id))
        if isinstance(event, ExposureMatured):
            self.exposures[event.run_id] = event.fold(self.exposures[event.run_id])

    def look(self, now: datetime) -> Judgement:
        units = by_unit(self.experiment, list(self.exposures.values()), now=now)
        return judge(self.experiment, units, results(units), now)


def live(shop: Shop, *, seed: int, units: int) -> list[tuple[str, str]]:
    """The log, (type, JSON): a case every six hours, bad results known at once and good ones ten cases later."""
    random, state = np.random.default_rng(seed), Folded(_experiment(seed))
    events: list[EventData] = [ExperimentStarted(experiment=state.experiment)]
    waiting: list[ExposureMatured] = []

    def happens(event: EventData) -> None:
        state.apply(event)
        events.append(event)

    for i in range(units):
        now, run = _BEGAN + timedelta(hours=6 * i), f"run/{i}"
        drawn = arm(state.experiment.salt, run, state.experiment.share)
        if state.experiment.exposes:
            happens(ExposureRecorded(exposure=_exposure(state.experiment, run, drawn, now)))
            good = bool(random.random() < (shop.candidate if drawn is Arm.CANDIDATE else shop.control))
            known = _BEGAN + timedelta(hours=6 * (i + 10 * good))
            waiting.append(ExposureMatured(experiment_id="e", run_id=run, metric=_METRIC, reward=float(good), at=known))
        for result in (r for r in waiting if r.at == now):
            happens(result)
            if state.experiment.running:
                happens(ExperimentJudged(experiment_id="e", at=now, **dict(state.look(now))))
    return [(event.type, event.model_dump_json()) for event in events]


def differing(log: list[tuple[str, str]]) -> tuple[int, int]:
    """How many verdicts the log holds, and how many come out otherwise when they are reached again from the log alone."""
    events = [_TYPES[name].model_validate_json(text) for name, text in log]
    started, *rest = events
    assert isinstance(started, ExperimentStarted)
    state, verdicts, differ = Folded(started.experiment), 0, 0
    for event in rest:
        if isinstance(event, ExperimentJudged):
            again = ExperimentJudged(experiment_id="e", at=event.at, **dict(state.look(event.at)))
            verdicts, differ = verdicts + 1, differ + (again != event)
        state.apply(event)
    return verdicts, differ


def _exposure(experiment: Experiment, run: str, drawn: Arm, now: datetime) -> Exposure:
    version = experiment.candidate if drawn is Arm.CANDIDATE else experiment.control
    share = experiment.share
    return Exposure(experiment_id="e", unit=run, run_id=run, arm=drawn, version=version, share=share, at=now)


def _experiment(seed: int) -> Experiment:
    return Experiment(
        experiment_id="e",
        policy="triage",
        control=1,
        candidate=2,
        risk=Risk.R1,
        objectives=(Objective(metric=_METRIC),),
        salt=f"salt/{seed}",
        level=0.1,
        share=0.2,
        started_at=_BEGAN,
        expires_at=_BEGAN + timedelta(days=30),
    )
