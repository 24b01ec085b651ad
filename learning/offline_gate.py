"""The gate before any exposure: past cases, replayed in shadow with and without the change, compared in pairs."""

from math import exp, log

from scipy.special import betainc, betaln

from domain.model import Value

GATE_LIMIT = 10.0


class GateResult(Value):
    """``e`` is the evidence that the change wins more pairs than it loses; ``reason`` is a sentence for the operator."""

    e: float
    passed: bool
    reason: str


def offline_gate(wins: int, losses: int, golden_regressions: int) -> GateResult:
    """Judge replayed pairs, ties left out. One regression on the golden set is one too many."""
    e = paired_evidence(wins, losses)
    score = f"{wins} of the replayed cases got better and {losses} got worse (evidence {e:.1f}, needed {GATE_LIMIT:.0f})"
    if golden_regressions:
        reason = f"Not tried: {golden_regressions} of the cases that must stay right would go wrong; {score}."
        return GateResult(e=e, passed=False, reason=reason)
    passed = e >= GATE_LIMIT
    return GateResult(e=e, passed=passed, reason=f"{'May be tried' if passed else 'Not tried'}: {score}.")


def paired_evidence(wins: int, losses: int) -> float:
    """Against "a pair is won with probability 1/2 at most": a uniform mixture over all higher probabilities.

    ``2 * 2^(w+l) * B(w+1, l+1) * P(Beta(w+1, l+1) > 1/2)``; 5-0 gives 10.5 and 7-0 gives 31.9.
    """
    tail = float(betainc(losses + 1, wins + 1, 0.5))
    if not tail:  # far more losses than wins: it underflows
        return 0.0
    return exp(min(log(2.0) * (1 + wins + losses) + float(betaln(wins + 1, losses + 1)) + log(tail), 700.0))
