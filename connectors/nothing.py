"""In place of a system that has no local stand-in: it is well, and can do nothing. See ``ports.Connector``."""

from datetime import datetime

from domain.actions import ACTION_TYPES, Action, Capability, Receipt
from domain.decisions import Diff
from domain.errors import Permanent


class Nothing:
    """``hint`` says how to connect the system that is missing."""

    def __init__(self, capability: Capability, *, hint: str) -> None:
        self.name = f"no-{capability}"
        self.capability = capability
        self._hint = hint

    async def check(self) -> str:
        return f"nothing is connected for {self.capability}, and nothing has to be; {self._hint}"

    async def preview(self, action: Action) -> Diff:
        raise self._no(action)

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        raise self._no(action)

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        """Nothing was ever done here."""
        if ACTION_TYPES[action.kind].spec.capability is not self.capability:
            raise self._no(action)
        return None

    def _no(self, action: Action) -> Permanent:
        missing = repr(action.through) if action.through else f"for {self.capability}"
        return Permanent(f"nothing is connected {'as ' if action.through else ''}{missing}", hint=self._hint)
