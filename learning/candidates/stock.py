"""A stock policy that would have cost less, as the back-test on the shop's own past found it."""

from collections.abc import Sequence
from typing import Protocol

from domain.actions import Risk
from domain.failures import RootCause
from domain.knowledge import InForce
from domain.learning import Candidate
from domain.policies import StockPolicy
from learning.candidates.drafting import drafted

BLOCK_DAYS = 7
"""Orders of the same SKUs interfere, so whole weeks get one policy or the other (a switchback)."""


class BackTested(Protocol):
    """What ``stock_backtest.choose_policy`` found."""

    @property
    def policy(self) -> StockPolicy: ...
    @property
    def changed(self) -> bool: ...
    @property
    def sure(self) -> float: ...
    @property
    def explanation(self) -> str: ...


def stock_candidate(found: BackTested, incumbent: InForce[StockPolicy], *, examples: Sequence[str] = ()) -> Candidate | None:
    """The chosen policy for a trial by weeks; None where the incumbent stays. ``examples`` are runs that went wrong."""
    if not found.changed or found.policy == incumbent.document:
        return None
    return drafted(
        incumbent,
        found.policy,
        why=found.explanation,
        cause=RootCause.POLICY_WRONG,
        metrics=("fill-rate", "stock-out-days", "corrected"),
        margin=0.05,
        examples=examples,
        block_days=BLOCK_DAYS,
        risk=Risk.R2,
    ).model_copy(update={"checked": f"a back-test on your own past, {found.sure:.0%} sure of a saving"})
