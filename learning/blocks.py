"""From exposed runs to the units a verdict counts: the run itself, or the block of days it lies in. Pure."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby

from domain.experiments import Experiment, Exposure
from domain.model import Moment


def by_unit(experiment: Experiment, exposures: Sequence[Exposure], *, now: Moment) -> tuple[Exposure, ...]:
    """One exposure a unit, in the order of exposure.

    A block's reward is the mean over its runs. It matures when the block is over and every run of it has matured: a
    block that is looked at half-way would count its fast runs only.
    """
    ordered = sorted(exposures, key=lambda e: (e.at, e.run_id))
    if not experiment.block_days:
        return tuple(ordered)
    blocks = groupby(sorted(ordered, key=lambda e: e.unit), key=lambda e: e.unit)
    units = [_block(experiment, tuple(runs), now) for _, runs in blocks]
    return tuple(sorted(units, key=lambda e: (e.at, e.unit)))


def _block(experiment: Experiment, runs: tuple[Exposure, ...], now: Moment) -> Exposure:
    first = runs[0]
    over = now >= first.at + timedelta(days=experiment.block_days)
    metrics = [o.metric for o in experiment.objectives if over and all(run.matured(o.metric) for run in runs)]
    rewards = {m: sum(found) / len(found) for m in metrics if (found := [r.rewards[m] for r in runs if m in r.rewards])}
    return first.model_copy(
        update={
            "run_id": first.unit,
            "rewards": rewards,
            "matured_at": {m: max(r.matured_at[m] for r in runs if m in r.matured_at) for m in rewards},
            "censored": tuple(m for m in metrics if m not in rewards),
            "severe": _union(run.severe for run in runs),
        }
    )


def _union(severe: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(metric for metrics in severe for metric in metrics))


def results(units: Iterable[Exposure]) -> tuple[tuple[str, str], ...]:
    """(unit, metric) of every result in the order in which they came in."""
    found = sorted((at, unit.unit, metric) for unit in units for metric, at in unit.matured_at.items())
    return tuple((unit, metric) for _, unit, metric in found)
