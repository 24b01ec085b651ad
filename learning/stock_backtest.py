"""Which stock policy would have cost a shop least: candidates replayed on its own past, and the incumbent kept unless beaten.

One choice is made for all SKUs together, because a single SKU's past is a handful of orders and choosing by it overfits;
what differs between SKUs enters through their own forecasts, prices and lead times. Whether to change is judged by
cross-fitting: each SKU's saving is counted under the candidate that was cheapest on the other SKUs. Which to change to
leaves room for what a short past does not show (the rare, very large order): the cheapest that missed half of what it may.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from agents.skills.demand_rates import FloatArray
from agents.skills.reorder import aim
from domain.policies import StockPolicy
from learning.stock_replay import ShopPast, replay
from learning.stock_simulation import Ledger

_MEMORIES = (45.0, 90.0, 180.0)
_POOLING = 0.5
_SAFETY = (1.0, 1.5, 2.0, 2.5, 3.0)
_LOTS = (1.0, 1.5, 2.0)
_FOLDS = 10
_SURE = 0.95  # of a fill rate
_ROOM = 0.5  # share of the misses allowed that is kept for what the past did not show
_SURE_TO_CHANGE = 0.99  # of the saving, where the incumbent serves customers as well as is wanted
_SURE_TO_MEND = 0.9  # that it does not, and then of the saving
_LEAST_SAVING = 0.05  # share of the incumbent's cost; less is not worth a change where service is good


@dataclass(frozen=True)
class Choice:
    """The policy to run and why.

    ``saving`` [n_skus]: what a candidate chosen on the other SKUs would have saved on each; negative where it costs more.
    ``sure``: the chance that their sum is truly above zero, by their spread. ``fill_rate`` and ``cost`` are those of
    ``policy`` over the days replayed; the incumbent's stand beside them.
    """

    policy: StockPolicy
    changed: bool
    saving: FloatArray
    sure: float
    fill_rate: float
    incumbent_fill_rate: float
    cost: float
    incumbent_cost: float
    explanation: str


def stock_candidates(incumbent: StockPolicy) -> tuple[StockPolicy, ...]:
    """More safety stock, larger lots, or both, on the incumbent's own forecasts and on a shop-wide memory."""
    forecasts = [
        {"memory_days": incumbent.memory_days, "pooling": incumbent.pooling},
        *({"memory_days": days, "pooling": _POOLING} for days in _MEMORIES),
    ]
    return tuple(
        incumbent.model_copy(update={**how, "safety_factor": safety, "lot_factor": lots})
        for how, safety, lots in product(forecasts, _SAFETY, _LOTS)
    )


def choose_policy(past: ShopPast, incumbent: StockPolicy, candidates: Sequence[StockPolicy]) -> Choice:
    """The candidate to run from now on, or the incumbent. Raises ``InvalidInput`` where the past is too short."""
    policies = [incumbent, *(c for c in candidates if c != incumbent)]
    ledger = replay(past, policies)
    costs, fill = ledger.cost, ledger.fill_rate
    saving = _cross_fitted_saving(costs, _reaching(fill, incumbent.least_fill_rate))
    sure = _certainty(saving)
    serves = not _surely_short(ledger, incumbent.least_fill_rate)
    best = _cheapest_with_room(ledger, incumbent.least_fill_rate)
    changed = best != 0 and _worth_it(costs[0].sum(), costs[best].sum(), sure, serves=serves)
    return Choice(
        policy=policies[best if changed else 0],
        changed=changed,
        saving=saving,
        sure=sure,
        fill_rate=float(fill[best if changed else 0]),
        incumbent_fill_rate=float(fill[0]),
        cost=float(costs[best if changed else 0].sum()),
        incumbent_cost=float(costs[0].sum()),
        explanation=_explained(policies, best, costs.sum(axis=1), fill, sure, changed=changed),
    )


def _reaching(fill: FloatArray, least: float) -> NDArray[np.bool_]:
    """[n_policies]; where none reaches it, those that come closest."""
    return np.asarray(fill >= min(least, float(fill.max())), np.bool_)


def _cross_fitted_saving(costs: FloatArray, allowed: NDArray[np.bool_]) -> FloatArray:
    """[n_skus]: incumbent's cost minus that of the policy cheapest on the SKUs of the other folds."""
    fold = np.arange(costs.shape[1]) % _FOLDS
    saving = np.zeros(costs.shape[1])
    for k in range(_FOLDS):
        picked = int(np.where(allowed, costs[:, fold != k].sum(axis=1), np.inf).argmin())
        saving[fold == k] = (costs[0] - costs[picked])[fold == k]
    return saving


def _certainty(saving: FloatArray) -> float:
    """The chance that the true sum is above zero, SKUs taken as a sample; a half where nothing differs."""
    error = float(saving.std()) * len(saving) ** 0.5
    return float(ndtr(saving.sum() / error)) if error > 0 else 0.5


def _worth_it(incumbent: float, candidate: float, sure: float, *, serves: bool) -> bool:
    if not serves:
        return sure >= _SURE_TO_MEND
    return sure >= _SURE_TO_CHANGE and incumbent - candidate >= _LEAST_SAVING * incumbent


def _cheapest_with_room(ledger: Ledger, least_fill: float) -> int:
    """Of the policies not dearer than the incumbent; where none has room, the one of them that served most."""
    costs = ledger.cost.sum(axis=1)
    affordable = costs <= costs[0]
    roomy = affordable & (_sure_fill(ledger) >= 1 - (1 - least_fill) * (1 - _ROOM))
    if roomy.any():
        return int(np.where(roomy, costs, np.inf).argmin())
    return int(np.where(affordable, ledger.fill_rate, -1.0).argmax())


def _sure_fill(ledger: Ledger) -> FloatArray:
    """[n_policies]: the fill rate that is surely reached."""
    fill, error = _fill_and_error(ledger)
    return np.asarray(fill - float(ndtri(_SURE)) * error, float)


def _surely_short(ledger: Ledger, least_fill: float) -> bool:
    """Whether the incumbent serves less than is wanted."""
    fill, error = _fill_and_error(ledger)
    return float(fill[0] + ndtri(_SURE_TO_MEND) * error[0]) < least_fill


def _fill_and_error(ledger: Ledger) -> tuple[FloatArray, FloatArray]:
    """[n_policies] fill rate and its standard error, SKUs taken as a sample: a ratio of two sums."""
    fill, asked = ledger.fill_rate, ledger.asked_units
    residual = ledger.missed_units - (1 - fill)[:, None] * asked
    error = residual.std(axis=1) * asked.shape[1] ** 0.5 / np.maximum(asked.sum(axis=1), 1e-9)
    return fill, np.asarray(error, float)


def _explained(
    policies: Sequence[StockPolicy], best: int, costs: FloatArray, fill: FloatArray, sure: float, *, changed: bool
) -> str:
    incumbent = f"over the days replayed the policy in force would have cost {costs[0]:,.0f} and served {fill[0]:.1%}"
    aimed = f"(at least {policies[0].least_fill_rate:.1%} is wanted)"
    if best == 0:
        return f"{incumbent} {aimed}; no candidate was better"
    other = f"{_named(policies[best])} would have cost {costs[best]:,.0f} and served {fill[best]:.1%}"
    verdict = "change" if changed else "not enough to change"
    return f"{incumbent} {aimed}; {other}; that a change saves money is {sure:.0%} sure: {verdict}"


def _named(policy: StockPolicy) -> str:
    memory = f"a memory of {policy.memory_days:g} days" if policy.memory_days else "the method that did best for each SKU"
    return f"{aim(policy.service_level, policy.safety_factor)}, lots {policy.lot_factor:g} times the economic quantity, {memory}"
