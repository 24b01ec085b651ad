"""The gateway in virtual time: a wake-up reaches a run when it was sent, not when it happens to be delivered."""

from datetime import timedelta

from demo.simulation.clocks import Clocks
from domain.knowledge import OutboxItem
from workflows.gateway import Gateway


class PunctualGateway(Gateway):
    def __init__(self, clocks: Clocks) -> None:
        super().__init__(clocks.client)
        self._clocks = clocks

    async def wake(self, item: OutboxItem, *, debounce: timedelta) -> None:
        """See ``Gateway.wake``; the simulation's time goes on to the item's."""
        self._clocks.now = max(self._clocks.now, item.at)
        await super().wake(item, debounce=debounce)
