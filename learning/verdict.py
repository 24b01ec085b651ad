"""The verdict on an experiment, after every result: take it back, stop it, keep it, or go on. Pure and deterministic.

The rules in their order; the first that applies decides:
1. a severe miss of the candidate takes it back at once, runs in flight included;
2. an assignment that cannot be fair (1000 to 1) freezes the experiment until the operator looked;
3. harm on any objective at an e-value of 5 takes it back. Under no change that happens once in five experiments at
   most *for each objective*, at whatever time one looks;
4. in the canary: better on the first objective at 10, 10, 20, 100 for R0 to R3, or at what the company's false discovery
   level asks for if that is more, with 20 candidates exposed: promoted to the holdout. R3 waits for the operator. What a
   replay on cases nothing was made from had brought multiplies the trial's own evidence;
5. in the canary: out of time takes it back, except R0 and R1 where the posterior expected loss is small on every
   objective: shipped, and said to be not covered by the guarantee;
6. in the holdout: the detector's alarm takes it back; after 14 days or 100 units with results it is promoted for good.
   Harm (3) goes on over all units from the canary's first, and catches what the detector is too slow for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain.actions import Risk
from domain.experiments import Arm, Ending, Evidence, Experiment, Exposure, Stage
from domain.model import Moment, Value
from learning import verdict_text as say
from learning.assignment import HOLDOUT_SHARE, ramp
from learning.detector import ALARM_LIMIT
from learning.evidence import HARM_LIMIT
from learning.sample_ratio import FREEZE_LIMIT
from learning.weighing import Exposed, Result, loss, since_promotion, weigh

WIN_LIMITS = {Risk.R0: 10.0, Risk.R1: 10.0, Risk.R2: 20.0, Risk.R3: 100.0}
LEAST_EXPOSED = 20  # candidates, for a promotion
HOLDOUT = timedelta(days=14)
HOLDOUT_UNITS = 100
LEAST_BLOCKS = 3  # of each arm with a result, to ask the operator about a trial by blocks that nothing decided
PATIENCE = timedelta(days=28)  # for the operator's word
LOSS_LIMIT = 0.001  # of the first objective's scale, to ship what is undecided
GUARDRAIL_LOSS_LIMIT = 0.01
_ROUNDING = 1e-9


class Judgement(Value):
    """What a look at the evidence leads to: the fields of ``domain.experiments.ExperimentJudged``."""

    evidence: Evidence
    stage: Stage
    share: float
    ending: Ending | None = None
    awaits_operator: bool = False
    hard: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Look:
    """All a rule may look at."""

    experiment: Experiment
    exposed: Exposed
    evidence: Evidence
    now: Moment


def judge(experiment: Experiment, exposures: Sequence[Exposure], matured: Sequence[Result], now: Moment) -> Judgement:
    """``exposures`` in the order of exposure, ``matured`` (unit, metric) in the order of the log; duplicates count once.

    What has ended stays as it ended, whatever comes later.
    """
    if experiment.stage is Stage.ENDED:
        return Judgement(**{name: getattr(experiment, name) for name in Judgement.model_fields})
    exposed = Exposed.of(exposures, matured)
    look = Look(experiment=experiment, exposed=exposed, evidence=weigh(experiment, exposed), now=now)
    rules = (_severe, _broken, _harmed, _won, _expired, _alarmed, _held)
    return next((found for rule in rules if (found := rule(look))), None) or _goes_on(look)


def win_limit(risk: Risk, level: float) -> float:
    """The e-value a promotion takes, at this risk and at the false discovery level the candidate was given."""
    return max(WIN_LIMITS[risk], 1.0 / level)


def _severe(look: Look) -> Judgement | None:
    if not look.evidence.severe:
        return None
    return _ended(look, _taken_back(look), say.severe(look.evidence), hard=True)


def _broken(look: Look) -> Judgement | None:
    """Frozen stays frozen: results of a broken assignment prove nothing, so only the operator can go on from here."""
    experiment = look.experiment
    if experiment.stage is not Stage.FROZEN and look.evidence.ratio < FREEZE_LIMIT:
        return None
    reason = say.broken(look.evidence, look.exposed.exposures)
    return Judgement(evidence=look.evidence, stage=Stage.FROZEN, share=experiment.share, reason=reason)


def _harmed(look: Look) -> Judgement | None:
    metric = max(look.evidence.harm, key=look.evidence.harm.__getitem__)
    if look.evidence.harm[metric] < HARM_LIMIT - _ROUNDING:
        return None
    return _ended(look, _taken_back(look), say.harmed(metric, look.exposed, look.evidence, HARM_LIMIT))


def _won(look: Look) -> Judgement | None:
    experiment, evidence = look.experiment, look.evidence
    limit = win_limit(experiment.risk, experiment.level)
    won = evidence.win >= limit and evidence.exposed_candidate >= LEAST_EXPOSED
    waits = experiment.awaits_operator and not experiment.block_days
    if experiment.stage is not Stage.CANARY or not (won or waits):
        return None
    better = say.won(experiment.objectives[0].metric, look.exposed, evidence, limit)
    if experiment.risk is Risk.R3:
        share, reason = _canary_share(look), f"{better}. It waits for your word, because a mistake here cannot be undone."
        return Judgement(evidence=evidence, stage=Stage.CANARY, share=share, awaits_operator=True, reason=reason)
    reason = f"{better}. Kept; a tenth stays as before for {HOLDOUT.days} days or {HOLDOUT_UNITS} cases, to compare."
    return Judgement(evidence=evidence, stage=Stage.HOLDOUT, share=HOLDOUT_SHARE, reason=reason)


def _expired(look: Look) -> Judgement | None:
    experiment = look.experiment
    if experiment.stage is not Stage.CANARY or look.now < experiment.expires_at:
        return None
    metric = experiment.objectives[0].metric
    if experiment.block_days and look.now < experiment.expires_at + PATIENCE and _enough_blocks(look):
        reason = say.undecided(metric, look.exposed)
        return Judgement(evidence=look.evidence, stage=Stage.CANARY, share=experiment.share, awaits_operator=True, reason=reason)
    if experiment.risk <= Risk.R1 and look.evidence.exposed_candidate >= LEAST_EXPOSED and _small_loss(look):
        return _ended(look, Ending.SHIPPED, say.shipped(metric, look.exposed, look.evidence))
    return _ended(look, Ending.EXPIRED, say.expired(metric, look.exposed))


def _enough_blocks(look: Look) -> bool:
    """A dozen weeks decide nothing by themselves, but they would show a disaster; the gain was found in the back-test."""
    metric = look.experiment.objectives[0].metric
    return all(look.exposed.tally(metric, arm).units >= LEAST_BLOCKS for arm in Arm)


def _alarmed(look: Look) -> Judgement | None:
    if look.experiment.stage is not Stage.HOLDOUT or look.evidence.detector < ALARM_LIMIT:
        return None
    return _ended(look, Ending.REVERTED, say.alarmed(look.evidence, ALARM_LIMIT))


def _held(look: Look) -> Judgement | None:
    experiment = look.experiment
    if experiment.stage is not Stage.HOLDOUT:
        return None
    with_results = _holdout_units(look)
    if look.now < (experiment.promoted_at or look.now) + HOLDOUT and with_results < HOLDOUT_UNITS:
        return None
    return _ended(look, Ending.PROMOTED, say.held(with_results, look.evidence))


def _goes_on(look: Look) -> Judgement:
    experiment, evidence = look.experiment, look.evidence
    if experiment.stage is Stage.HOLDOUT:
        reason = say.watched(_holdout_units(look), HOLDOUT_UNITS, evidence)
        return Judgement(evidence=evidence, stage=Stage.HOLDOUT, share=experiment.share, reason=reason)
    reason = say.goes_on(evidence, win_limit(experiment.risk, experiment.level), HARM_LIMIT)
    return Judgement(evidence=evidence, stage=Stage.CANARY, share=_canary_share(look), reason=reason)


def _ended(look: Look, ending: Ending, reason: str, *, hard: bool = False) -> Judgement:
    share = 1.0 if ending in (Ending.PROMOTED, Ending.SHIPPED) else 0.0
    return Judgement(evidence=look.evidence, stage=Stage.ENDED, share=share, ending=ending, hard=hard, reason=reason)


def _taken_back(look: Look) -> Ending:
    return Ending.REVERTED if look.experiment.promoted_at else Ending.ROLLED_BACK


def _canary_share(look: Look) -> float:
    """Of blocks there are too few for a ramp: they have had their share from the beginning."""
    experiment = look.experiment
    return experiment.share if experiment.block_days else max(experiment.share, ramp(look.evidence.exposed, experiment.risk))


def _small_loss(look: Look) -> bool:
    first, *guardrails = (loss(objective, look.exposed) for objective in look.experiment.objectives)
    return _at_most(first, LOSS_LIMIT) and all(_at_most(lost, GUARDRAIL_LOSS_LIMIT) for lost in guardrails)


def _at_most(lost: float | None, limit: float) -> bool:
    return lost is not None and lost <= limit


def _holdout_units(look: Look) -> int:
    """Units since the promotion that have, or will never have, a result on every objective."""
    metrics = [o.metric for o in look.experiment.objectives]
    held = (e for e in look.exposed.exposures if since_promotion(look.experiment, e))
    return sum(all(e.matured(metric) for metric in metrics) for e in held)
