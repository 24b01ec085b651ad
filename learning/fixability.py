"""How likely a fix of each root cause is to work: Beta posteriors, taught by the experiments and questions that ended. Pure.

Before anything is known data is the surest thing to mend, then policy, then prompts, then models; each prior counts as
much as ten tries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.experiments import Ending, Experiment
from domain.failures import RootCause

_PRIOR_TRIES = 10.0
_PRIOR: dict[RootCause, float] = {
    RootCause.DATA_MISSING: 0.9,
    RootCause.DATA_STALE: 0.85,
    RootCause.DATA_WRONG: 0.85,
    RootCause.POLICY_GAP: 0.6,
    RootCause.POLICY_WRONG: 0.6,
    RootCause.TOOL: 0.4,
    RootCause.PROMPT: 0.4,
    RootCause.MODEL: 0.3,
    RootCause.EXTERNAL: 0.1,
    RootCause.HUMAN: 0.1,
}
_DATA = (RootCause.DATA_MISSING, RootCause.DATA_STALE, RootCause.DATA_WRONG)
_WORKED = {
    Ending.PROMOTED: 1.0,
    Ending.SHIPPED: 0.5,  # it went out without being proved
    Ending.EXPIRED: 0.0,
    Ending.ROLLED_BACK: 0.0,
    Ending.REVERTED: 0.0,
}
"""What each ending says about whether the fix worked; a trial that was stopped says nothing."""


@dataclass(frozen=True)
class Tries:
    worked: float = 0.0
    failed: float = 0.0


@dataclass(frozen=True)
class Fixability:
    """``seen`` holds what past fixes of each cause came to."""

    seen: Mapping[RootCause, Tries] = field(default_factory=dict)

    def probability(self, cause: RootCause) -> float:
        """The posterior mean of P(fixable | cause)."""
        tries, prior = self.seen.get(cause, Tries()), _PRIOR[cause]
        return (prior * _PRIOR_TRIES + tries.worked) / (_PRIOR_TRIES + tries.worked + tries.failed)


def learned(experiments: Sequence[Experiment], *, questions_answered: int = 0, questions_ignored: int = 0) -> Fixability:
    """From ended experiments by their cause, and from the questions on data that the operator answered or left alone."""
    seen = {cause: Tries(float(questions_answered), float(questions_ignored)) for cause in _DATA}
    for experiment in experiments:
        worked = _WORKED.get(experiment.ending) if experiment.ending else None
        if experiment.cause is None or worked is None:
            continue
        tries = seen.get(experiment.cause, Tries())
        seen[experiment.cause] = Tries(tries.worked + worked, tries.failed + 1 - worked)
    return Fixability(seen)
