"""Putting a changed policy into a candidate: what every kind of candidate has in common."""

import re
from collections.abc import Sequence

from domain.actions import Risk
from domain.experiments import Objective
from domain.failures import RootCause
from domain.knowledge import InForce, P
from domain.learning import Candidate
from domain.policies import POLICY_RISKS
from learning.documents import changed

_EXAMPLES = 10
_MONEY = re.compile(r"^(?:refund_limit|refund_window_days|playbooks\.[^.]+\.(?:goodwill|actions))\b")


def drafted(
    incumbent: InForce[P],
    document: P,
    *,
    why: str,
    cause: RootCause,
    metrics: Sequence[str],
    margin: float = 0.0,
    scope: Sequence[str] = (),
    expected: float = 0.0,
    examples: Sequence[str] = (),
    block_days: int = 0,
    risk: Risk = Risk.R0,
) -> Candidate:
    """``metrics``: what shall improve, then the guardrails, which may be worse by ``margin``. ``risk`` is the least it can be.

    ``examples`` are runs, newest first.
    """
    before, after = incumbent.document.model_dump(mode="json"), document.model_dump(mode="json")
    money = incumbent.name == "support" and any(_MONEY.match(path) for path in changed(before, after))
    least = max(risk, POLICY_RISKS.get(incumbent.name, Risk.R3), Risk.R2 if money else Risk.R0)
    guardrails = (Objective(metric=metric, margin=margin) for metric in metrics[1:])
    return Candidate(
        policy=incumbent.name,
        parent=incumbent.version,
        document=after,
        why=why,
        cause=cause,
        risk=least,
        scope=tuple(scope),
        objectives=(Objective(metric=metrics[0]), *guardrails),
        expected=expected,
        examples=tuple(dict.fromkeys(examples))[:_EXAMPLES],
        block_days=block_days,
        ratify=least >= Risk.R3,
    )
