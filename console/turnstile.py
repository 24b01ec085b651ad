"""How often anybody may come: a bucket a visitor, which a visit empties by one and time fills again."""

from dataclasses import dataclass
from datetime import datetime

from cachetools import LRUCache


@dataclass(frozen=True)
class _Bucket:
    left: float
    at: datetime


class Turnstile:
    """``burst`` visits at once and ``per_second`` in the long run. Of more than ``visitors`` the longest unseen is forgotten."""

    def __init__(self, *, burst: int, per_second: float, visitors: int = 10_000) -> None:
        self._burst = burst
        self._per_second = per_second
        self._buckets: LRUCache[str, _Bucket] = LRUCache(visitors)

    def passes(self, visitor: str, *, now: datetime) -> bool:
        """Whether the visitor may come in now. Who may not is not counted."""
        bucket = self._buckets.get(visitor, _Bucket(self._burst, now))
        filled = max((now - bucket.at).total_seconds(), 0.0) * self._per_second
        left = min(bucket.left + filled, float(self._burst))
        self._buckets[visitor] = _Bucket(left - 1 if left >= 1 else left, now)
        return left >= 1
