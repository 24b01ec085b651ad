"""The Executor: carries out one reserved action through the connector for it. It cannot widen, choose or decide."""

from collections.abc import Mapping
from datetime import datetime

from domain.actions import Action, Capability, Receipt
from domain.decisions import Diff
from domain.effects import Effect, EffectStatus
from domain.errors import Permanent, Refused
from domain.ports import Connector


class Executor:
    """Holds the connectors by capability."""

    def __init__(self, *, connectors: Mapping[Capability, Connector]) -> None:
        self._connectors = dict(connectors)

    def connector_name(self, action: Action) -> str:
        """The name of the connection or connector that would do ``action``. Raises Permanent where there is none."""
        return action.through or self._connector(action).name

    async def preview(self, action: Action) -> Diff:
        """What ``action`` would change outside, now."""
        return await self._connector(action).preview(action)

    async def execute(self, effect: Effect, *, now: datetime) -> Receipt:
        """Do exactly what was reserved and begun, against the record version that was shown.

        Raises Refused for an effect that is not executing, and what the connector raises.
        """
        if effect.status is not EffectStatus.EXECUTING:
            raise Refused(f"effect {effect.key} is {effect.status}, not executing", hint="reserve and begin it in the ledger first")
        connector = self._connector(effect.action)
        return await connector.execute(effect.action, key=effect.key, expected_version=effect.diff.record_version, now=now)

    async def find_receipt(self, effect: Effect) -> Receipt | None:
        """What the outside system knows of ``effect``; None is a definite no."""
        return await self._connector(effect.action).find_receipt(effect.action, key=effect.key)

    def _connector(self, action: Action) -> Connector:
        try:
            return self._connectors[action.spec.capability]
        except KeyError:
            raise Permanent(f"nothing is connected for {action.spec.capability}", hint="see `steward status`") from None
