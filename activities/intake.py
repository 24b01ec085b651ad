"""Everything that comes in takes the same way: stored raw, acknowledged, then understood. A repeat does nothing at any step."""

from collections.abc import Sequence

import structlog

from domain.connections import Delivery, Record, source_of
from domain.errors import LogError, Retryable, StewardError
from domain.event import new_event
from domain.model import Moment
from domain.ports import EventLog, Inbox, Source, State
from domain.runs import Alert, AlertLevel, AlertRaised

_AT_ONCE = 20  # a mail may be large


class Intake:
    """The door for what a source tells us, whether we asked for it or it called us."""

    def __init__(self, *, inbox: Inbox, log: EventLog, state: State) -> None:
        self._inbox = inbox
        self._log = log
        self._state = state

    async def accept(self, connection: str, records: Sequence[Record], *, now: Moment) -> int:
        """Store them as they came; the number that is new. After this the system may forget them."""
        new = [await self._inbox.receive(source_of(connection, r.stream), r.external_id, r.raw, at=now) for r in records]
        return sum(new)

    async def understand(self, connection: str, source: Source, *, now: Moment) -> int:
        """Make events of everything that waits; how many deliveries that were.

        One that cannot be understood is put aside with the reason, and holds up no other. Raises Retryable.
        """
        return sum([await self._understand_stream(connection, source, stream, now) for stream in source.streams])

    async def _understand_stream(self, connection: str, source: Source, stream: str, now: Moment) -> int:
        done = 0
        while waiting := await self._inbox.waiting(source_of(connection, stream), _AT_ONCE):
            for delivery in waiting:
                note, trouble = await self._into_events(connection, source, stream, delivery, now)
                await source.settle(delivery, stream=stream, trouble=trouble)
                await self._inbox.understood(delivery.source, delivery.external_id, note=note, at=now)
            done += len(waiting)
        return done

    async def _into_events(self, connection: str, source: Source, stream: str, delivery: Delivery, now: Moment) -> tuple[str, str]:
        """Why it means nothing, or less than it might, and whether that is a trouble; empty where all is well."""
        try:
            reading = await source.understand(delivery, stream=stream, state=self._state)
            events = [event.model_copy(update={"source": f"connection/{connection}"}) for event in reading.events]
            await self._log.append(events)
        except (Retryable, LogError):
            raise
        except StewardError as error:
            return str(error), str(error)
        except Exception as error:  # noqa: BLE001 - what a stranger wrote must not stop what others write
            structlog.get_logger().error("a delivery broke its reader", source=delivery.source, kind=type(error).__name__)
            await self._alert(connection, stream, type(error).__name__, now)
            return (broke := f"broke its reader: {type(error).__name__}"), broke
        return reading.note, ""

    async def _alert(self, connection: str, stream: str, kind: str, now: Moment) -> None:
        alert = Alert(
            key=f"connection/{connection}/{stream}",
            level=AlertLevel.WARNING,
            text=f"something that came from {connection} could not be read ({kind}); it was put aside",
            what_to_do="it is in the inbox table as it came; this is a fault of Steward, please report it",
            at=now,
        )
        await self._log.append([new_event(AlertRaised(alert=alert), at=now, key=(alert.key, now.isoformat()))])
