"""``python -m bench.triage_stream [--json]``: triage that learns from the tickets a person is asked about, and only from them.

Real queries with their intents arrive in random order. The model begins with two examples an intent, guesses every
ticket, and is told the intent of those it asked about; tickets it was sure of are right or wrong unseen. It is fitted
anew in the background, while 25 more arrive. The test queries are used for nothing but the last figure.
"""

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from statistics import mean
from time import perf_counter

import numpy as np
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from bench.triage_asking import Asking, Reason
from models.embedding import WordLlamaEmbedder
from models.local.features import Features, Rows, plain
from models.local.guess import Example
from models.local.intents import IntentClassifier

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "banking77"
_SEEDS = 5
_ACCURACY, _LABELS, _HANDLED, _ESCALATED = 0.91, 2_000, 0.95, 0.06
_PROCESSES = 2
_KNOWN_AN_INTENT = 2
_MORE_LABELS, _NEW_TICKETS = 1.06, 750  # a refit is due at so many times the labels of the last, or after so many tickets
_AT_A_TIME = 25  # tickets that arrive while a refit is under way
_CURVE = 1_000  # tickets a point, and tickets that count as the last


@dataclass(frozen=True)
class Queries:
    """Texts and their intents."""

    train: tuple[Example, ...]
    test: tuple[Example, ...]


@dataclass(frozen=True)
class Answered:
    """One ticket: why a person was asked, if one was; the guess's probability, and whether it was right."""

    reason: Reason | None
    probability: float
    right: bool


@dataclass(frozen=True)
class Stream:
    """What one random order gave. ``labels`` are all, the first included; ``frozen`` and ``accuracy`` are on the test queries."""

    seed: int
    labels: int
    bought: int
    audited: int
    frozen: float
    accuracy: float
    answered: tuple[Answered, ...]


@dataclass(frozen=True)
class Bar:
    what: str
    found: float
    met: bool
    aim: str


class Remembered(Features):
    """The rows of texts that are known beforehand, made once; a row depends on nothing but its text."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__(WordLlamaEmbedder())
        self._kept = super().rows(texts)
        self._place = {form: place for place, text in enumerate(texts) for form in (text, plain(text))}

    def rows(self, texts: Sequence[str]) -> Rows:
        return self._kept[[self._place[text] for text in texts]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.triage_stream", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with train.csv and test.csv (text, category)")
    parser.add_argument("--seeds", type=int, default=_SEEDS, help="how many random orders")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    asked = parser.parse_args()
    if not (asked.data / "train.csv").is_file():
        sys.stderr.write(f"no queries in {asked.data}: skipped (say --data FOLDER)\n")
        return 0
    began = perf_counter()
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
        streams = list(pool.map(partial(run, asked.data), range(asked.seeds)))
    bars = judged(streams)
    (_print_json if asked.json else _print_tables)(asked.data, streams, bars, perf_counter() - began)
    return int(not all(bar.met for bar in bars))


def run(folder: Path, seed: int) -> Stream:
    """One random order from beginning to end, on one core."""
    with threadpool_limits(1):
        queries, features = _prepared(folder)
        rng = np.random.default_rng(seed)
        order = [int(i) for i in rng.permutation(len(queries.train))]
        known = _known([queries.train[i] for i in rng.permutation(len(queries.train))])
        return _Run(queries, features, known).outcome(seed, order)


@cache
def _prepared(folder: Path) -> tuple[Queries, Remembered]:
    queries = Queries(train=_read(folder / "train.csv"), test=_read(folder / "test.csv"))
    return queries, Remembered([text for text, _ in (*queries.train, *queries.test)])


def _read(path: Path) -> tuple[Example, ...]:
    with path.open(encoding="utf-8", newline="") as lines:
        return tuple((row["text"], row["category"]) for row in csv.DictReader(lines))


def _known(examples: Sequence[Example]) -> list[Example]:
    """The first two of each intent."""
    count: Counter[str] = Counter()
    known = []
    for text, intent in examples:
        if count[intent] < _KNOWN_AN_INTENT:
            known.append((text, intent))
            count[intent] += 1
    return known


class _Run:
    """The stream so far: what was taught, what was only seen, and how each ticket went."""

    def __init__(self, queries: Queries, features: Features, known: Sequence[Example]) -> None:
        self._queries = queries
        self._features = features
        self._known = len(known)
        self._taught = list(known)
        self._unlabelled: list[str] = []
        self._asking = Asking(seen=len(known))
        self._answered: list[Answered] = []

    def outcome(self, seed: int, order: Sequence[int]) -> Stream:
        tickets = [self._queries.train[i] for i in order]
        model = self._fitted()
        frozen, fitted_at = self._accuracy(model), (self._known, 0)
        while len(self._answered) < len(tickets):
            self._answer(model, tickets[len(self._answered) :][:_AT_A_TIME])
            if self._is_due(*fitted_at):
                model, fitted_at = self._fitted(), (len(self._taught), len(self._answered))
        bought = Counter(answered.reason for answered in self._answered if answered.reason)
        return Stream(
            seed=seed,
            labels=self._known + bought.total(),
            bought=bought.total(),
            audited=bought[Reason.AUDIT],
            frozen=frozen,
            accuracy=self._accuracy(self._fitted()),
            answered=tuple(self._answered),
        )

    def _is_due(self, taught: int, answered: int) -> bool:
        return len(self._taught) >= taught * _MORE_LABELS or len(self._answered) >= answered + _NEW_TICKETS

    def _answer(self, model: IntentClassifier, tickets: Sequence[Example]) -> None:
        """Guess each, ask about some, and keep what can be learned from it."""
        for (text, intent), guess in zip(tickets, model.guess([text for text, _ in tickets]), strict=True):
            reason = self._asking.reason(guess, intents=len(model.intents), key=f"{len(self._answered)} {text}")
            self._asking = self._asking.after(reason, intents=len(model.intents))
            self._answered.append(Answered(reason, guess.probability, guess.intent == intent))
            if reason:
                self._taught.append((text, intent))
            else:
                self._unlabelled.append(text)

    def _fitted(self) -> IntentClassifier:
        return IntentClassifier.fit_on(self._taught, features=self._features, unlabelled=self._unlabelled)

    def _accuracy(self, model: IntentClassifier) -> float:
        guesses = model.guess([text for text, _ in self._queries.test])
        return mean(guess.intent == intent for guess, (_, intent) in zip(guesses, self._queries.test, strict=True))


def handled(answered: Sequence[Answered]) -> float:
    """Of tickets that were not escalated, the share that was guessed right; an audit comes after the answer."""
    return mean(a.right for a in answered if a.reason is not Reason.UNSURE)


def asked_about(answered: Sequence[Answered]) -> float:
    return mean(a.reason is not None for a in answered)


def judged(streams: Sequence[Stream]) -> list[Bar]:
    """Means over the random orders; the number of labels is the largest."""
    accuracy, labels = mean(s.accuracy for s in streams), max(s.labels for s in streams)
    right = mean(handled(s.answered) for s in streams)
    escalated = mean(asked_about(s.answered[-_CURVE:]) for s in streams)
    return [
        Bar("accuracy on the test queries at the end", accuracy, accuracy >= _ACCURACY, f"at least {_ACCURACY:.0%}"),
        Bar("labels used, those of the beginning included", labels, labels <= _LABELS, f"at most {_LABELS:,}"),
        Bar("right of the tickets handled without help", right, right >= _HANDLED, f"at least {_HANDLED:.0%}"),
        Bar("asked about of the last thousand", escalated, escalated <= _ESCALATED, f"at most {_ESCALATED:.0%}"),
    ]


def _curve(streams: Sequence[Stream]) -> list[dict[str, float]]:
    """A point a thousand tickets, means over the random orders."""
    points = []
    for start in range(0, len(streams[0].answered) - _CURVE // 2, _CURVE):
        parts = [stream.answered[start : start + _CURVE] for stream in streams]
        alone = [[a for a in part if a.reason is not Reason.UNSURE] for part in parts]
        points.append(
            {
                "from": start,
                "asked": mean(map(asked_about, parts)),
                "right": mean(map(handled, parts)),
                "stated": mean(mean(a.probability for a in part) for part in alone),
            }
        )
    return points


def _rows(streams: Sequence[Stream]) -> list[dict[str, float]]:
    return [
        {
            "seed": s.seed,
            "labels": s.labels,
            "bought": s.bought,
            "audited": s.audited,
            "frozen": s.frozen,
            "accuracy": s.accuracy,
            "handled": handled(s.answered),
            "handled_last": handled(s.answered[-_CURVE:]),
            "asked_last": asked_about(s.answered[-_CURVE:]),
        }
        for s in streams
    ]


def _print_json(folder: Path, streams: Sequence[Stream], bars: Sequence[Bar], seconds: float) -> None:
    found = {
        "data": folder.name,
        "seconds": seconds,
        "bars": [asdict(bar) for bar in bars],
        "orders": _rows(streams),
        "curve": _curve(streams),
    }
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


def _print_tables(folder: Path, streams: Sequence[Stream], bars: Sequence[Bar], seconds: float) -> None:
    console = Console()
    columns = (
        "order",
        "labels",
        "bought",
        "audits",
        "frozen",
        "at the end",
        "handled right",
        "last 1,000 right",
        "last 1,000 asked",
    )
    shown = Table(*columns, title=f"Triage that learns from what it asks: {folder.name}, {len(streams[0].answered):,} tickets")
    for row in _rows(streams):
        counts = (f"{row[name]:,}" for name in ("seed", "labels", "bought", "audited"))
        shown.add_row(*counts, *(f"{row[name]:.1%}" for name in ("frozen", "accuracy", "handled", "handled_last", "asked_last")))
    console.print(shown)
    curve = Table("tickets from", "asked about", "right of the others", "as stated", title="On the way")
    for point in _curve(streams):
        curve.add_row(f"{point['from']:,}", *(f"{point[name]:.1%}" for name in ("asked", "right", "stated")))
    console.print(curve)
    judgement = Table("bar", "found", "aim", "", title=f"{seconds:.0f} s")
    for bar in bars:
        judgement.add_row(
            bar.what, f"{bar.found:.2%}" if bar.found <= 1 else f"{bar.found:,.0f}", bar.aim, "met" if bar.met else "MISSED"
        )
    console.print(judgement)


if __name__ == "__main__":
    raise SystemExit(main())
