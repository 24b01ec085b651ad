"""The relay: takes wake-ups that were committed with their events to the workflows they concern (transactional outbox)."""

import asyncio
from datetime import timedelta

import structlog

from domain.errors import InvalidInput
from domain.event import Topic
from domain.knowledge import OutboxItem
from domain.policies import AttentionPolicy, StockPolicy
from domain.ports import Outbox, Policies
from workflows.gateway import Gateway

_POLL_SECONDS = 5.0
_PAUSE_SECONDS = 1.0


class Relay:
    """At least once, in order; a wake-up that fails stays in the outbox and is tried again."""

    def __init__(self, *, outbox: Outbox, gateway: Gateway, policies: Policies) -> None:
        self._outbox = outbox
        self._gateway = gateway
        self._policies = policies
        self._log = structlog.get_logger().bind(part="relay")

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                if not await self.deliver():
                    await self._outbox.wait(_POLL_SECONDS)
            except Exception as error:  # noqa: BLE001 - the relay outlives every outage of what it connects
                self._log.warning("could not deliver, will try again", error=str(error))
                await asyncio.sleep(_PAUSE_SECONDS)

    async def deliver(self) -> int:
        """Deliver what is pending now; how many wake-ups that were."""
        items: list[OutboxItem] = await self._outbox.pending()
        debounces = await self._debounces() if items else {}
        return sum([await self._delivered(item, debounces.get(item.topic, timedelta(0))) for item in items])

    async def _debounces(self) -> dict[str, timedelta]:
        """How long the run that a topic wakes gathers what comes together."""
        stock = (await self._policies.in_force(StockPolicy)).document
        attention = (await self._policies.in_force(AttentionPolicy)).document
        return {
            Topic.REPLENISH: timedelta(minutes=stock.debounce_minutes),
            Topic.ATTENTION: timedelta(minutes=attention.gather_minutes),
        }

    async def _delivered(self, item: OutboxItem, debounce: timedelta) -> bool:
        """One that nothing here can take holds up no other."""
        try:
            await self._gateway.wake(item, debounce=debounce)
        except InvalidInput as error:
            self._log.error("nothing takes this wake-up", topic=item.topic, key=item.key, error=str(error))
            return False
        await self._outbox.delivered([item.item_id])
        return True
