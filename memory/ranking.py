"""Fusing what several signals found into one ranking. No I/O."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from domain.knowledge import Recalled
from domain.model import Moment
from domain.passage import Passage

_K = 60
"""Reciprocal rank fusion: a passage scores the sum of 1 / (k + rank). Cormack, Clarke and Büttcher (SIGIR 2009)
found k = 60 to do well whatever the signals."""

_HALF_LIFE = timedelta(days=180)


def fuse(signals: Mapping[str, Sequence[str]], passages: Mapping[str, Passage], *, now: Moment, limit: int) -> list[Recalled]:
    """The best ``limit`` passages, best first, ties by id. ``signals`` are passage ids, each list best first."""
    ranks: dict[str, dict[str, int]] = {}
    for signal, ids in signals.items():
        for rank, passage_id in enumerate(ids, start=1):
            ranks.setdefault(passage_id, {})[signal] = rank
    found = [_recalled(passages[i], places, now) for i, places in ranks.items() if i in passages]
    return sorted(found, key=lambda r: (-r.score, r.passage.passage_id))[:limit]


def _recalled(passage: Passage, ranks: dict[str, int], now: Moment) -> Recalled:
    fused = sum(1 / (_K + rank) for rank in ranks.values())
    return Recalled(passage=passage, score=round(fused * decay(now - passage.at), 9), ranks=ranks)


def decay(age: timedelta) -> float:
    """1 for what is new, a half after a half-life. What lies ahead of ``now`` counts as new."""
    return float(0.5 ** (max(age, timedelta(0)) / _HALF_LIFE))
