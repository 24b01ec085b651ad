"""Many canaries at once, decided by the product's own tests, and by the rules that other tools use."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from domain.actions import Risk
from learning.assignment import ramp
from learning.evidence import HARM_LIMIT, Alternative, Column, EProcess, RateBets, Unit, better, worse
from learning.expected_loss import Tally, expected_loss
from learning.verdict import LEAST_EXPOSED, LOSS_LIMIT, WIN_LIMITS

Floats = NDArray[np.float64]
NEVER = 10**9
HORIZON = 2_000  # units that a decision is good for, in the comparison of rules
_DAY = 20


@dataclass(frozen=True)
class Shop:
    """What cases are like: rates of good results of both versions, and what the truth does meanwhile.

    ``drift`` swings the log odds of both versions up and down by so much every 150 units; with ``late_good`` bad results
    are known at once and good ones only so many units later, when their window has passed.
    """

    name: str
    control: float
    candidate: float
    drift: float = 0.0
    late_good: int = 0

    def rates(self, at: Floats) -> tuple[Floats, Floats]:
        swing = self.drift * np.sin(at * 2 * np.pi / 150)
        control, candidate = (1 / (1 + np.exp(-np.log(p / (1 - p)) - swing)) for p in (self.control, self.candidate))
        return control, candidate


@dataclass(frozen=True)
class Canaries:
    """Simulated experiments, ``(experiments, units)``: arm (1 for the candidate), reward, and when each result is known."""

    arms: Floats
    rewards: Floats
    known: Floats
    shares: Floats  # (units,)


@dataclass(frozen=True)
class Verdicts:
    """For each experiment: results in when it was rolled back or promoted (or NEVER), whichever was first.

    ``exposed`` counts the candidates exposed until then; ``shipped`` says that it expired and its expected loss is small.
    """

    rolled_back: NDArray[np.int64]
    promoted: NDArray[np.int64]
    shipped: NDArray[np.bool_]
    exposed: NDArray[np.int64]


def draw(shop: Shop, risk: Risk, *, experiments: int, units: int, seed: int) -> Canaries:
    random = np.random.default_rng(seed)
    at = np.arange(units, dtype=float)
    shares = np.array([ramp(i, risk) for i in range(units)])
    arms = (random.random((experiments, units)) < shares).astype(float)
    control, candidate = shop.rates(at)
    rewards = (random.random((experiments, units)) < np.where(arms == 1, candidate, control)).astype(float)
    return Canaries(arms=arms, rewards=rewards, known=at + shop.late_good * rewards, shares=shares)


def decide(canaries: Canaries, risk: Risk) -> Verdicts:
    """Rules 3 to 5 of ``learning.verdict`` on many experiments side by side; a test holds them to ``judge``'s numbers."""
    order = np.argsort(canaries.known, axis=1, kind="stable")
    harm = first(path(canaries, worse(), order) >= HARM_LIMIT - 1e-9)
    enough = canaries.arms.cumsum(axis=1) >= LEAST_EXPOSED
    win = first((path(canaries, better()) >= WIN_LIMITS[risk]) & enough)
    harm_at = when(np.take_along_axis(canaries.known, order, axis=1), harm)
    win_at = when(np.maximum.accumulate(canaries.known, axis=1), win)
    back, kept = harm_at <= win_at, win_at < harm_at
    back &= harm < NEVER
    decided = np.where(back, harm_at, np.where(kept, win_at, NEVER))[:, None]
    exposed = (canaries.arms * (np.arange(canaries.arms.shape[1]) <= decided)).sum(axis=1).astype(np.int64)
    small = _losses(canaries) <= LOSS_LIMIT if risk <= Risk.R1 else np.zeros(len(harm), bool)
    known = (canaries.known <= decided).sum(axis=1)
    return Verdicts(
        rolled_back=np.where(back, known, NEVER),
        promoted=np.where(kept, known, NEVER),
        shipped=small & enough[:, -1] & ~back & ~kept,
        exposed=exposed,
    )


def path(canaries: Canaries, alternative: Alternative, order: NDArray[np.int64] | None = None) -> Floats:
    """The e-value after each unit, ``(experiments, units)``: the product's own fold, over columns."""
    arms, rewards = canaries.arms, canaries.rewards
    shares: Floats = np.broadcast_to(canaries.shares, arms.shape)
    if order is not None:
        arms, rewards, shares = (np.take_along_axis(a, order, axis=1) for a in (arms, rewards, shares))
    process = EProcess.start(RateBets(alternative))
    values = np.empty_like(arms)
    for i in range(arms.shape[1]):
        process = process.after(Unit(candidate=arms[:, i], share=shares[:, i], reward=rewards[:, i]))
        values[:, i] = process.value
    return values


def first(true: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The index of the first true in each row, or NEVER."""
    return np.where(true.any(axis=1), true.argmax(axis=1), NEVER)


def when(times: Floats, index: NDArray[np.int64]) -> Floats:
    rows = np.arange(len(index))
    return np.where(index < NEVER, times[rows, np.minimum(index, times.shape[1] - 1)], float(NEVER))


def _losses(canaries: Canaries) -> Floats:
    def tally(arms: Floats) -> Tally:
        return Tally(units=arms.sum(axis=1), reward=(arms * canaries.rewards).sum(axis=1))

    return expected_loss(tally(1 - canaries.arms), tally(canaries.arms))


@dataclass(frozen=True)
class Outcome:
    """Of a rule on one kind of change: how often it kept the candidate or took it back, and the mean reward it lost."""

    kept: float
    taken_back: float
    regret: float


def gate(shop: Shop, *, experiments: int, units: int, seed: int) -> Outcome:
    """The product's gate at R1, out of time after ``units``."""
    verdicts = decide(draw(shop, Risk.R1, experiments=experiments, units=units, seed=seed), Risk.R1)
    kept = (verdicts.promoted < NEVER) | verdicts.shipped
    end = np.minimum(np.minimum(verdicts.rolled_back, verdicts.promoted), units)
    served = np.array([ramp(i, Risk.R1) for i in range(units)]).cumsum()[end - 1]
    return _outcome(shop, kept, verdicts.rolled_back < NEVER, end, served)


def daily_bayes(shop: Shop, *, experiments: int, seed: int, sure: float = 0.95) -> Outcome:
    """Half the units each; every day of 20 units, decide when one version is the better one with ``sure`` probability.

    Beta(1, 1) priors; the probability by the normal approximation of the posteriors.
    """
    random = np.random.default_rng(seed)
    days, each = HORIZON // _DAY, _DAY // 2
    good = [random.binomial(each, p, (experiments, days)).cumsum(axis=1) for p in (shop.control, shop.candidate)]
    units = each * np.arange(1, days + 1)
    means = [(g + 1) / (units + 2) for g in good]
    spread = np.sqrt(sum(m * (1 - m) / (units + 3) for m in means))
    chance = ndtr((means[1] - means[0]) / spread)
    day = first((chance > sure) | (chance < 1 - sure))
    decided = day < NEVER
    better_one = chance[np.arange(experiments), np.minimum(day, days - 1)] > 0.5
    end = np.where(decided, (day + 1) * _DAY, HORIZON)
    return _outcome(shop, decided & better_one, decided & ~better_one, end, end / 2)


def failed_checks(shop: Shop, *, experiments: int, seed: int, allowed: int) -> Outcome:
    """A canary of 4 units a day (a tenth) for 10 days; a day that is 5 points under the base rate is a failed check."""
    random = np.random.default_rng(seed)
    daily = random.binomial(4, shop.candidate, (experiments, 10)) / 4
    day = first((daily < shop.control - 0.05).cumsum(axis=1) >= allowed)
    end = np.where(day < NEVER, (day + 1) * 40, 400)
    return _outcome(shop, day == NEVER, day < NEVER, end, end / 10)


def ship_now(shop: Shop) -> Outcome:
    nothing: NDArray[np.int64] = np.zeros(1, np.int64)
    return _outcome(shop, nothing == 0, nothing == 1, nothing, nothing)


def _outcome(shop: Shop, kept: NDArray[np.bool_], back: NDArray[np.bool_], end: Column, served: Column) -> Outcome:
    """Against an oracle that serves the better version to all ``HORIZON`` units."""
    by_candidate = served + kept * (HORIZON - end)
    gain = shop.candidate - shop.control
    lost = by_candidate * -gain if gain < 0 else (HORIZON - by_candidate) * gain
    return Outcome(kept=float(kept.mean()), taken_back=float(back.mean()), regret=float(np.mean(lost)))
