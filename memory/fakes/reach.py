"""How outside systems did lately, in memory."""

from collections.abc import Sequence

from domain.effects import Effect, EffectStatus
from memory.fakes.store import Store
from memory.reach import Reached

_DONE = (EffectStatus.COMMITTED, EffectStatus.COMPENSATED)
_FAILED = (EffectStatus.FAILED, EffectStatus.UNKNOWN)


class InMemoryReach:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def reached(self, connectors: Sequence[str]) -> list[Reached]:
        return [self._of(name) for name in connectors]

    def _of(self, name: str) -> Reached:
        done, failed = self._last(name, _DONE), self._last(name, _FAILED)
        return Reached(
            connector=name,
            done_at=done.updated_at if done else None,
            failed_at=failed.updated_at if failed else None,
            error=failed.error if failed else "",
        )

    def _last(self, name: str, statuses: tuple[EffectStatus, ...]) -> Effect | None:
        found = [e for e in self._store.effects.values() if e.connector == name and e.status in statuses]
        return max(found, key=lambda effect: effect.updated_at, default=None)
