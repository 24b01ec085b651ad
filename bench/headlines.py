"""``python -m bench.headlines [--json]``: which page titles get clicks, on small shops that the benchmark makes up.

Every policy faces the same shops, impressions and clicks to be had: they were drawn before anybody chose. A title is chosen
for each page and week from templates that fit it. The bars, over seeds: where templates mean something, Steward's pooled
choice regrets strictly less than Thompson with a flat prior; where they mean nothing, it regrets no more than 1.02 times as much.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import reduce
from typing import Protocol

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import stats

from bench.headline_shops import (
    BASE_RATE,
    NULL,
    PAGES,
    SCENARIOS,
    SHARED,
    TEMPLATES,
    TITLES,
    WEEKS,
    Floats,
    Ints,
    Scenario,
    World,
    world_of,
)
from learning.titles import Observation, TitleModel, choose, fold, posterior

MOST_REGRET = 1.02
_FIRST_DAY = date(2026, 1, 5)


class Chooser(Protocol):
    def choose(self, world: World, week: int, pages: Ints) -> Ints: ...

    def learn(self, world: World, week: int, pages: Ints, chosen: Ints) -> None: ...


class Uniform:
    """Any title, each as likely."""

    def choose(self, world: World, week: int, pages: Ints) -> Ints:
        return np.asarray(world.unit[week, pages, 0] * TITLES, dtype=np.intp)

    def learn(self, world: World, week: int, pages: Ints, chosen: Ints) -> None:
        """It never does."""


class Oracle(Uniform):
    """The title that truly is best this week."""

    def choose(self, world: World, week: int, pages: Ints) -> Ints:
        return np.asarray(world.rate[week, pages].argmax(axis=1))


class Thompson:
    """Beta-Bernoulli Thompson sampling on each page alone, from ``clicks`` in ``impressions`` believed beforehand."""

    def __init__(self, *, clicks: float, misses: float) -> None:
        self._hits = np.full((PAGES, TITLES), clicks)
        self._misses = np.full((PAGES, TITLES), misses)

    def choose(self, world: World, week: int, pages: Ints) -> Ints:
        drawn = np.asarray(stats.beta.ppf(world.unit[week, pages], self._hits[pages], self._misses[pages]))
        return np.asarray(drawn.argmax(axis=1))

    def learn(self, world: World, week: int, pages: Ints, chosen: Ints) -> None:
        clicks = world.clicks[week, pages, chosen]
        self._hits[pages, chosen] += clicks
        self._misses[pages, chosen] += world.shown[week, pages] - clicks


class Pooled:
    """Steward's: a page borrows what the templates have shown on all pages."""

    def __init__(self) -> None:
        self._model = TitleModel(templates=TEMPLATES)

    def choose(self, world: World, week: int, pages: Ints) -> Ints:
        known = posterior(self._model)
        offered = {page: [TEMPLATES[n] for n in world.offered[page]] for page in pages}
        return np.array([choose(known, str(p), offered[p], world.unit[week, p, 0]).index for p in pages], dtype=np.intp)

    def learn(self, world: World, week: int, pages: Ints, chosen: Ints) -> None:
        day = _FIRST_DAY + timedelta(weeks=week)
        seen = (
            Observation(
                page=str(page),
                template=TEMPLATES[world.offered[page, title]],
                day=day,
                impressions=float(world.shown[week, page]),
                clicks=float(world.clicks[week, page, title]),
            )
            for page, title in zip(pages, chosen, strict=True)
        )
        self._model = reduce(fold, seen, self._model)


CHOOSERS: dict[str, Callable[[], Chooser]] = {
    "Thompson, flat prior": lambda: Thompson(clicks=1, misses=1),
    "Thompson, prior at the shop's rate": lambda: Thompson(clicks=200 * BASE_RATE, misses=200 * (1 - BASE_RATE)),
    "any title": Uniform,
    "Steward, pooled": Pooled,
    "the best title": Oracle,
}
FLAT, OURS = "Thompson, flat prior", "Steward, pooled"


def played(scenario: Scenario, world: World, chooser: Chooser) -> tuple[float, float]:
    """(clicks, regret): clicks had, and clicks expected less than the best titles would have brought."""
    clicks = regret = 0.0
    showing = np.zeros(PAGES, dtype=np.intp)
    for week in range(WEEKS):
        pages = np.flatnonzero(world.born <= week)
        choosing = np.flatnonzero(world.born == week) if scenario.fixed else pages
        if len(choosing):
            showing[choosing] = chooser.choose(world, week, choosing)
        chosen = showing[pages]
        rate = world.rate[week, pages]
        regret += float(world.shown[week, pages] @ (rate.max(axis=1) - rate[np.arange(len(pages)), chosen]))
        clicks += float(world.clicks[week, pages, chosen].sum())
        chooser.learn(world, week, pages, chosen)
    return clicks, regret


@dataclass(frozen=True)
class Gain:
    """A mean over seeds with its 95% interval (Student's t)."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.0f} ({self.low:+.0f} to {self.high:+.0f})"


@dataclass(frozen=True, kw_only=True)
class Line:
    """Of one policy in one scenario, means over seeds; ``gained`` clicks and ``saved`` regret are against flat Thompson."""

    scenario: str
    policy: str
    clicks: float
    regret: float
    regret_ratio: float
    gained: Gain
    saved: Gain


def measured(scenario: Scenario, seeds: range) -> list[Line]:
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in CHOOSERS}
    for seed in seeds:
        world = world_of(scenario, seed)
        for name, make in CHOOSERS.items():
            found[name].append(played(scenario, world, make()))
    by_name = {name: np.array(rows) for name, rows in found.items()}
    return [_line(scenario.name, name, rows, by_name[FLAT]) for name, rows in by_name.items()]


def _line(scenario: str, policy: str, rows: Floats, flat: Floats) -> Line:
    clicks, regret = rows.mean(axis=0)
    return Line(
        scenario=scenario,
        policy=policy,
        clicks=float(clicks),
        regret=float(regret),
        regret_ratio=float(regret / flat[:, 1].mean()),
        gained=gain(rows[:, 0] - flat[:, 0]),
        saved=gain(flat[:, 1] - rows[:, 1]),
    )


def gain(differences: Floats) -> Gain:
    """Of paired ``differences``, one a seed."""
    mean, spread = float(differences.mean()), float(stats.sem(differences))
    margin = float(stats.t.ppf(0.975, len(differences) - 1)) * spread
    return Gain(mean, mean - margin, mean + margin)


def missed(lines: list[Line]) -> list[str]:
    """The bars that were missed, in words."""
    ours = {line.scenario: line for line in lines if line.policy == OURS}
    found = []
    if ours[SHARED.name].saved.low <= 0:
        found.append(f"{SHARED.name}: the regret saved is not clearly above 0")
    if (ratio := ours[NULL.name].regret_ratio) > MOST_REGRET:
        found.append(f"{NULL.name}: {ratio:.3f} times the regret of flat Thompson, at most {MOST_REGRET}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.headlines", description=__doc__)
    parser.add_argument("--seeds", type=int, default=60, help="how many shops of each kind")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    asked = parser.parse_args()
    lines = [line for scenario in SCENARIOS for line in measured(scenario, range(asked.seeds))]
    problems = missed(lines)
    if asked.json:
        sys.stdout.write(json.dumps({"lines": [asdict(line) for line in lines], "missed": problems}, indent=2) + "\n")
    else:
        _print(lines, problems, asked.seeds)
    return 1 if problems else 0


def _print(lines: list[Line], problems: list[str], seeds: int) -> None:
    console = Console()
    title = f"{PAGES} pages, {WEEKS} weeks, means of {seeds} made-up shops; gains are against {FLAT}, with 95% intervals"
    shown = Table("titles chosen by", "clicks", "clicks gained", "regret", "of flat's", "regret saved", title=title)
    for scenario in SCENARIOS:
        shown.add_section()
        shown.add_row(f"[bold]{scenario.name}[/bold]")
        for line in (line for line in lines if line.scenario == scenario.name):
            figures = (f"{line.clicks:.0f}", str(line.gained), f"{line.regret:.0f}", f"{line.regret_ratio:.2f}", str(line.saved))
            shown.add_row(line.policy, *figures)
    console.print(shown)
    for problem in problems:
        console.print(f"missed: {problem}")


if __name__ == "__main__":
    raise SystemExit(main())
