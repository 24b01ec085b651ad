"""From an experiment's exposures to its evidence: which units count for which test, and in which order."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from domain.experiments import Arm, Evidence, Experiment, Exposure, Objective
from domain.metrics import METRICS
from learning.betting import DifferenceBets
from learning.detector import Detector
from learning.evidence import Alternative, Bets, RateBets, Unit, better, evidence, worse
from learning.expected_loss import Tally, expected_loss
from learning.sample_ratio import ratio_evidence

Result = tuple[str, str]  # (unit, metric), in the order the log has them


@dataclass(frozen=True)
class Exposed:
    """An experiment's exposures in order, each unit once, and their results in the order they came in, each once.

    A result of a unit that is not among the exposures is not looked at: it was read before its exposure was.
    A result that ``matured`` does not name yet comes last.
    """

    exposures: tuple[Exposure, ...]
    matured: tuple[Result, ...]

    @classmethod
    def of(cls, exposures: Sequence[Exposure], matured: Sequence[Result]) -> "Exposed":
        by_unit: dict[str, Exposure] = {}
        for exposure in exposures:
            by_unit.setdefault(exposure.unit, exposure)
        rest = ((e.unit, metric) for e in by_unit.values() for metric in e.rewards)
        known = ((unit, metric) for unit, metric in (*matured, *rest) if unit in by_unit and metric in by_unit[unit].rewards)
        return cls(exposures=tuple(by_unit.values()), matured=tuple(dict.fromkeys(known)))

    def in_order_of_results(self, metric: str) -> Iterator[Exposure]:
        by_unit = {e.unit: e for e in self.exposures}
        return (by_unit[unit] for unit, measured in self.matured if measured == metric)

    def in_order_of_exposure(self, metric: str) -> Iterator[Exposure]:
        """Up to the first one whose result is open; those that stay without a result are left out."""
        for exposure in self.exposures:
            if not exposure.matured(metric):
                return
            if metric in exposure.rewards:
                yield exposure

    def tally(self, metric: str, arm: Arm) -> Tally:
        rewards = [e.rewards[metric] for e in self.exposures if e.arm is arm and metric in e.rewards]
        return Tally(units=float(len(rewards)), reward=sum(rewards))


def weigh(experiment: Experiment, exposed: Exposed) -> Evidence:
    """All evidence there is: deterministic in the exposures and the order of results."""
    first = experiment.objectives[0]
    tallies = {arm: exposed.tally(first.metric, arm) for arm in Arm}
    candidates = [e for e in exposed.exposures if e.arm is Arm.CANDIDATE]
    wins = units(exposed.in_order_of_exposure(first.metric), first.metric)
    return Evidence(
        exposed=len(exposed.exposures),
        exposed_candidate=len(candidates),
        matured=int(sum(t.units for t in tallies.values())),
        matured_candidate=int(tallies[Arm.CANDIDATE].units),
        win=experiment.prior * evidence(wins, bets(experiment, first.metric, better(first.margin))),
        harm={o.metric: _harm(experiment, o, exposed) for o in experiment.objectives},
        ratio=ratio_evidence((e.arm, e.share) for e in exposed.exposures),
        detector=_detector(experiment, exposed),
        loss=loss(first, exposed),
        rates={arm.value: tally.reward / tally.units for arm, tally in tallies.items() if tally.units},
        severe=tuple(e.unit for e in candidates if e.severe),
    )


def loss(objective: Objective, exposed: Exposed) -> float | None:
    """The posterior expected loss of shipping on one objective; None until both arms have results."""
    control, candidate = exposed.tally(objective.metric, Arm.CONTROL), exposed.tally(objective.metric, Arm.CANDIDATE)
    return float(expected_loss(control, candidate, objective.margin)) if control.units and candidate.units else None


def bets(experiment: Experiment, metric: str, alternative: Alternative) -> Bets:
    """Likelihood ratios where results are declared to be yes or no; else, and for means over blocks, bets on the difference."""
    yes_or_no = metric in METRICS and METRICS[metric].measured_in == "yes or no"
    return RateBets(alternative) if yes_or_no and not experiment.block_days else DifferenceBets(alternative)


def units(exposures: Iterable[Exposure], metric: str) -> Iterator[Unit]:
    for e in exposures:
        if 0.0 < e.share < 1.0:
            yield Unit(candidate=e.arm is Arm.CANDIDATE, share=e.share, reward=e.rewards[metric])


def _harm(experiment: Experiment, objective: Objective, exposed: Exposed) -> float:
    """By order of results, the first to know; harm beyond a margin is a statement about rates and takes exposure order."""
    order = exposed.in_order_of_exposure if objective.margin else exposed.in_order_of_results
    return evidence(units(order(objective.metric), objective.metric), bets(experiment, objective.metric, worse(objective.margin)))


def _detector(experiment: Experiment, exposed: Exposed) -> float:
    """The highest statistic of any objective over the holdout's units; 0 before the promotion."""
    if experiment.promoted_at is None:
        return 0.0
    return max(_watch(experiment, objective, exposed) for objective in experiment.objectives)


def _watch(experiment: Experiment, objective: Objective, exposed: Exposed) -> float:
    order = exposed.in_order_of_exposure if objective.margin else exposed.in_order_of_results
    seen = tuple(order(objective.metric))
    learned = bets(experiment, objective.metric, worse(objective.margin))
    for unit in units((e for e in seen if not since_promotion(experiment, e)), objective.metric):
        learned = learned.after(unit)
    detector = Detector.start(learned)
    for unit in units((e for e in seen if since_promotion(experiment, e)), objective.metric):
        detector = detector.after(unit)
    return float(detector.value)


def since_promotion(experiment: Experiment, exposure: Exposure) -> bool:
    return experiment.promoted_at is not None and exposure.at >= experiment.promoted_at
