"""``python -m bench.learning_gate [--json]``: how often the rollout's verdicts are wrong, and how soon they are right.

Simulated canaries (seeded), decided by the product's own tests. An event is one result that is in, of either arm, since
the canary began, so "61 events" is about 61 cases with the candidate on the ramp's share of them.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from statistics import mean

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.canary_replay import differing, live
from bench.canary_simulation import (
    HORIZON,
    NEVER,
    Outcome,
    Shop,
    Verdicts,
    daily_bayes,
    decide,
    draw,
    failed_checks,
    gate,
    ship_now,
)
from domain.actions import Risk
from domain.experiments import Arm
from learning.assignment import HOLDOUT_SHARE, ramp
from learning.detector import ALARM_LIMIT, Detector
from learning.evidence import HARM_LIMIT, RateBets, Unit, worse
from learning.sample_ratio import FREEZE_LIMIT, ratio_evidence
from learning.verdict import HOLDOUT_UNITS, WIN_LIMITS

_EXPERIMENTS = 2_500
_UNITS = 400
_ALPHA_HARM = 1 / HARM_LIMIT
_HARM_BAR = 0.01
_ERRORS = 3.0  # standard errors of the simulation by which a rate may lie above a bound that is sharp

HARMS = (
    Shop("95 -> 80 %", 0.95, 0.80),
    Shop("30 -> 20 %", 0.30, 0.20),
    Shop("5 -> 2 %", 0.05, 0.02),
    Shop("95 -> 90 %", 0.95, 0.90),
)
# What 400 events cannot tell well: shown, not judged.
SUBTLE = Shop("50 -> 45 %", 0.50, 0.45)
NULLS = (
    Shop("95 %", 0.95, 0.95),
    Shop("30 %", 0.30, 0.30),
    Shop("drifts 69 to 98 %", 0.91, 0.91, drift=1.5),
    Shop("drifts, good ones known 40 later", 0.91, 0.91, drift=1.5, late_good=40),
)
GAINS = (Shop("80 -> 90 %", 0.80, 0.90), Shop("30 -> 40 %", 0.30, 0.40))
SOON = {"95 -> 80 %": 80.0, "30 -> 20 %": 170.0}


@dataclass(frozen=True)
class Row:
    """One kind of change at one risk. Rates are shares of the experiments; events are None where under half decided."""

    change: str
    risk: str
    rolled_back: float
    promoted: float
    shipped: float
    median_events: float | None
    p90_events: float | None
    candidates: float
    missed: tuple[str, ...] = ()


Bars = Callable[[Row], Iterable[str]]  # what a row misses


@dataclass(frozen=True)
class Measured:
    """``rules`` by rule and change; ``guards`` are rates by what they guard against; of the replayed verdicts, how many differ."""

    rows: list[Row]
    rules: dict[str, dict[str, Outcome]]
    guards: dict[str, float]
    replayed: int
    differ: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.learning_gate", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    asked = parser.parse_args()
    measured = measure()
    missed = [f"{row.change} at {row.risk}: {why}" for row in measured.rows for why in row.missed]
    missed += [f"{measured.differ} verdicts differ on replay"] if measured.differ else []
    (_print_json if asked.json else _print_tables)(measured, missed)
    return 1 if missed else 0


def measure() -> Measured:
    replayed, differ = replay()
    return Measured(
        rows=[*_rows(HARMS, harmful), *_rows((SUBTLE,)), *_rows(NULLS, harmless), *_rows(GAINS)],
        rules=dict(compare_rules()),
        guards={**assignments(), **holdouts()},
        replayed=replayed,
        differ=differ,
    )


def harmful(row: Row) -> Iterator[str]:
    if row.promoted + row.shipped > _HARM_BAR:
        yield f"shipped {row.promoted + row.shipped:.2%}, bar {_HARM_BAR:.0%}"
    bar = SOON.get(row.change, float(NEVER))
    if bar < NEVER and (row.median_events is None or row.median_events > bar):
        yield f"median of {row.median_events} events to roll back, bar {bar:.0f}"


def harmless(row: Row) -> Iterator[str]:
    for what, rate, bar in (
        ("rolled back", row.rolled_back, _ALPHA_HARM),
        ("promoted", row.promoted, 1 / WIN_LIMITS[Risk[row.risk]]),
    ):
        if rate > bar + _ERRORS * (bar * (1 - bar) / _EXPERIMENTS) ** 0.5:
            yield f"{what} {rate:.1%}, bar {bar:.0%}"


def _rows(shops: tuple[Shop, ...], bars: Bars | None = None) -> Iterator[Row]:
    for shop in shops:
        for risk in (Risk.R1, Risk.R2):
            row = _row(shop, risk, decide(draw(shop, risk, experiments=_EXPERIMENTS, units=_UNITS, seed=7), risk))
            yield replace(row, missed=tuple(bars(row))) if bars else row


def _row(shop: Shop, risk: Risk, verdicts: Verdicts) -> Row:
    decided = verdicts.promoted if shop.candidate > shop.control else verdicts.rolled_back
    return Row(
        change=shop.name,
        risk=risk.name,
        rolled_back=float((verdicts.rolled_back < NEVER).mean()),
        promoted=float((verdicts.promoted < NEVER).mean()),
        shipped=float(verdicts.shipped.mean()),
        median_events=_quantile(decided, 0.5),
        p90_events=_quantile(decided, 0.9),
        candidates=float(np.median(verdicts.exposed)),
    )


def _quantile(events: NDArray[np.int64], q: float) -> float | None:
    at = float(np.quantile(events, q, method="higher"))
    return at if at < NEVER else None


def compare_rules() -> Iterator[tuple[str, dict[str, Outcome]]]:
    """Each rule on each kind of change, over as many units as a decision is good for."""
    shops, n = (*HARMS[:2], SUBTLE, *NULLS[:2], *GAINS), 1_000
    yield "Steward's gate (R1)", {s.name: gate(s, experiments=n, units=_UNITS, seed=11) for s in shops}
    yield "daily Bayes at 0.95", {s.name: daily_bayes(s, experiments=n, seed=11) for s in shops}
    for allowed in (1, 2, 3):
        name = f"{allowed} failed check{'s' * (allowed > 1)} in 10 days"
        yield name, {s.name: failed_checks(s, experiments=n, seed=11, allowed=allowed) for s in shops}
    yield "ship now", {s.name: ship_now(s) for s in shops}


def assignments() -> dict[str, float]:
    """How often an assignment is frozen within 150 exposures on the ramp, by what is wrong with it."""
    random = np.random.default_rng(5)
    shares = [ramp(i, Risk.R1) for i in range(150)]
    broken = {"fair": 1.0, "gives the change to nobody": 0.0, "gives it to half of those due": 0.5, "gives it to all": NEVER}

    def frozen(factor: float) -> bool:
        drawn = [(Arm.CANDIDATE if random.random() < share * factor else Arm.CONTROL, share) for share in shares]
        return any(ratio_evidence(drawn[:seen]) >= FREEZE_LIMIT for seen in range(15, 151, 15))

    return {f"frozen, assignment {what}": mean(frozen(factor) for _ in range(100)) for what, factor in broken.items()}


def holdouts() -> dict[str, float]:
    """How often the detector alarms within a holdout, after a canary at 95 %."""
    found = {}
    for name, now in (("nothing changes", 0.95), ("95 becomes 80 %", 0.8), ("95 becomes 50 %", 0.5)):
        random = np.random.default_rng(6)
        detector, highest = Detector.start(RateBets(worse(), good=95.0, seen=100.0)), np.zeros(_EXPERIMENTS)
        for _ in range(HOLDOUT_UNITS):
            candidate = (random.random(_EXPERIMENTS) < HOLDOUT_SHARE).astype(float)
            reward = (random.random(_EXPERIMENTS) < np.where(candidate == 1, now, 0.95)).astype(float)
            detector = detector.after(Unit(candidate=candidate, share=HOLDOUT_SHARE, reward=reward))
            highest = np.maximum(highest, detector.value)
        found[f"alarm in the holdout, {name}"] = float((highest >= ALARM_LIMIT).mean())
    return found


def replay() -> tuple[int, int]:
    """Verdicts in the logs of simulated canaries, and how many come out otherwise from the log alone."""
    logs = (live(shop, seed=seed, units=150) for seed, shop in enumerate((*HARMS, *NULLS[:2], *GAINS)))
    counts = [differing(log) for log in logs]
    return sum(n for n, _ in counts), sum(d for _, d in counts)


def _print_json(measured: Measured, missed: list[str]) -> None:
    sys.stdout.write(json.dumps({**asdict(measured), "missed": missed}, indent=2) + "\n")


def _print_tables(measured: Measured, missed: list[str]) -> None:
    console = Console()
    console.print(f"Simulated canaries: {_EXPERIMENTS} of each kind, {_UNITS} units each, seeded; an event is a result that is in.")
    console.print(_verdict_table(measured.rows))
    console.print(_rule_table(measured.rules))
    for what, rate in measured.guards.items():
        console.print(f"{what}: {rate:.1%}")
    console.print(f"verdicts that differ on replay of the log: {measured.differ} of {measured.replayed}")
    for why in missed:
        console.print(f"[red]missed[/red] {why}")


def _verdict_table(rows: list[Row]) -> Table:
    table = Table("change", "risk", "rolled back", "promoted", "shipped*", "median events", "p90", "candidates", title="Verdicts")
    for row in rows:
        rates = (f"{rate:.1%}" for rate in (row.rolled_back, row.promoted, row.shipped))
        events = (f"{at:.0f}" if at is not None else "-" for at in (row.median_events, row.p90_events))
        table.add_row(row.change, row.risk, *rates, *events, f"{row.candidates:.0f}")
    table.caption = (
        "Events until the right verdict (rolled back; promoted for a gain), - where too few got one; candidates: median exposed"
        " until any verdict. *Out of time, small expected loss: not covered by the guarantee."
    )
    return table


def _rule_table(rules: dict[str, dict[str, Outcome]]) -> Table:
    changes = list(next(iter(rules.values())))
    table = Table("rule", *changes, title=f"Kept / taken back / reward lost against an oracle over {HORIZON} units")
    for rule, by_change in rules.items():
        cells = (f"{o.kept:.0%} / {o.taken_back:.0%} / {o.regret:.0f}" for o in by_change.values())
        table.add_row(rule, *cells)
    return table


if __name__ == "__main__":
    raise SystemExit(main())
