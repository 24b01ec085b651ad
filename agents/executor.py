"""The Executor: carries out one reserved action through the connector for it. It cannot widen, choose or decide."""

from collections.abc import Mapping
from datetime import datetime

from domain.actions import Action, Capability, Receipt
from domain.decisions import Diff
from domain.effects import Effect, EffectStatus
from domain.errors import Permanent, Refused, Stale, Unknown
from domain.ports import Connector, SwitchedConnector, units_in


class Executor:
    """Holds the connectors by capability."""

    def __init__(self, *, connectors: Mapping[Capability, Connector]) -> None:
        self._connectors = dict(connectors)

    async def resolve(self, action: Action) -> Connector:
        """The connector that would do ``action`` now, under its name in the ledger. Raises Permanent where there is none."""
        try:
            connector = self._connectors[action.spec.capability]
        except KeyError:
            raise Permanent(f"nothing is connected for {action.spec.capability}", hint="see `steward status`") from None
        return await connector.now(action) if isinstance(connector, SwitchedConnector) else connector

    async def preview(self, action: Action) -> Diff:
        """What ``action`` would change outside, now."""
        return await (await self.resolve(action)).preview(action)

    async def units(self, sku: str) -> int:
        """How many of ``sku`` the shop says can be sold, now. Raises Permanent where it does not say."""
        connector = self._connectors[Capability.SHOP]
        shop = await connector.now() if isinstance(connector, SwitchedConnector) else connector
        return await units_in(shop, sku)

    async def execute(self, effect: Effect, *, now: datetime) -> Receipt:
        """Do exactly what was reserved and begun, against the record version that was shown.

        Raises Refused for an effect that is not executing, Stale where another connector has taken the place of the one it
        was reserved for, and what the connector raises.
        """
        if effect.status is not EffectStatus.EXECUTING:
            raise Refused(f"effect {effect.key} is {effect.status}, not executing", hint="reserve and begin it in the ledger first")
        connector = await self.resolve(effect.action)
        if connector.name != effect.connector:
            raise Stale(f"{effect.connector} was to do it, and {connector.name} is connected now", hint="it is shown again")
        return await connector.execute(effect.action, key=effect.key, expected_version=effect.diff.record_version, now=now)

    async def find_receipt(self, effect: Effect) -> Receipt | None:
        """What the outside system knows of ``effect``; None is a definite no.

        Raises Unknown where another connector has taken the place of the one it was begun with: that one cannot say no.
        """
        connector = await self.resolve(effect.action)
        if connector.name != effect.connector:
            said = f"it was begun with {effect.connector}, and {connector.name}, connected now, cannot know of it"
            raise Unknown(said, hint=f"look in {effect.connector}, or connect it again")
        return await connector.find_receipt(effect.action, key=effect.key)
