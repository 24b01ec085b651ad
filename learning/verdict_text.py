"""What a verdict says to the owner: one plain sentence with the numbers it rests on."""

from collections.abc import Sequence

from domain.experiments import Arm, Evidence, Exposure
from learning.weighing import Exposed

_NAMED = 3


def severe(evidence: Evidence) -> str:
    named = ", ".join(evidence.severe[:_NAMED]) + (" and others" if len(evidence.severe) > _NAMED else "")
    cases = "a case" if len(evidence.severe) == 1 else f"{len(evidence.severe)} cases"
    return f"Taken back at once: {cases} with the change went badly wrong ({named})."


def broken(evidence: Evidence, exposures: Sequence[Exposure]) -> str:
    due = sum(e.share for e in exposures)
    got = f"{evidence.exposed_candidate} of {evidence.exposed} cases got the change where about {due:.0f} were due"
    return f"Stopped: {got}, so its results prove nothing until the assignment is mended."


def harmed(metric: str, exposed: Exposed, evidence: Evidence, limit: float) -> str:
    return f"Taken back: {compared(metric, exposed)} (evidence of harm {evidence.harm[metric]:.1f}, limit {limit:.0f})."


def won(metric: str, exposed: Exposed, evidence: Evidence, limit: float) -> str:
    return f"Better: {compared(metric, exposed)} (evidence {evidence.win:.1f}, needed {limit:.0f})"


def shipped(metric: str, exposed: Exposed, evidence: Evidence) -> str:
    lost = f"the loss to expect is {100 * (evidence.loss or 0.0):.2f} in 100 cases"
    return f"Time is up without proof: {compared(metric, exposed)}. Kept, because {lost}; the error guarantee does not cover this."


def expired(metric: str, exposed: Exposed) -> str:
    return f"Time is up without proof: {compared(metric, exposed)}. The old version stays."


def undecided(metric: str, exposed: Exposed) -> str:
    return (
        f"Time is up: no harm was seen, and so few weeks prove no gain ({compared(metric, exposed)}). "
        "What speaks for it is the back-test on your own past; your word decides."
    )


def alarmed(evidence: Evidence, limit: float) -> str:
    return (
        f"Taken back: it did worse than the old version after it was promoted (alarm {evidence.detector:.0f}, limit {limit:.0f})."
    )


def held(cases: int, evidence: Evidence) -> str:
    return f"Promoted for good: no harm was found in {cases} more cases (evidence of harm {_worst(evidence):.1f})."


def watched(cases: int, due: int, evidence: Evidence) -> str:
    return f"Promoted and still compared: {cases} of {due} cases in, evidence of harm {_worst(evidence):.1f}."


def goes_on(evidence: Evidence, win: float, harm: float) -> str:
    seen = f"{evidence.matured} results in, {evidence.matured_candidate} of them with the change"
    return (
        f"Goes on: {seen}; evidence that it is better {evidence.win:.1f} of {win:.0f}, worse {_worst(evidence):.1f} of {harm:.0f}."
    )


def compared(metric: str, exposed: Exposed) -> str:
    """Mean rewards of both arms, as parts of the best possible."""
    new, old = (_rate(exposed, metric, arm) for arm in (Arm.CANDIDATE, Arm.CONTROL))
    return f"on '{metric}' the score was {new} with the change and {old} without"


def _rate(exposed: Exposed, metric: str, arm: Arm) -> str:
    tally = exposed.tally(metric, arm)
    return f"{100 * tally.reward / tally.units:.0f} % of {tally.units:.0f} cases" if tally.units else "unknown"


def _worst(evidence: Evidence) -> float:
    return max(evidence.harm.values(), default=1.0)
