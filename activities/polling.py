"""The step that reads a connection: page by page into the inbox, the cursor moved on after each, then understood."""

from collections.abc import Mapping
from datetime import timedelta

from temporalio import activity

from activities.intake import Intake
from domain.actions import Capability
from domain.connections import CONNECTING, Connection, ConnectionMode
from domain.deliveries import waiting_to_be_listed
from domain.entities import Stock
from domain.errors import EffectError, Permanent, Retryable
from domain.event import EventData, new_event
from domain.events import ListingDue
from domain.model import Moment, Name, Value
from domain.ports import Cursors, EventLog, Source, Sources, State
from domain.runs import Alert, AlertClosed, AlertLevel, AlertRaised

_PAGES = 20  # at one go; what is left is read by the next step
_FAILURES_TO_TELL = 3  # a passing trouble is not worth an interrupt
_LONGEST_PAUSE = timedelta(hours=1)


class PollInput(Value):
    """``changed`` says that the connection was, since it was last read without trouble."""

    connection: Name
    now: Moment
    changed: bool = False


class Polled(Value):
    """``look_again_seconds`` is None where there is nothing to read any more: the connection is off or gone."""

    look_again_seconds: float | None = None
    text: str
    troubled: bool = False


class PollActivities:
    """Reads outside systems. It changes nothing in them."""

    def __init__(self, *, sources: Sources, cursors: Cursors, intake: Intake, log: EventLog, state: State) -> None:
        self._sources = sources
        self._cursors = cursors
        self._intake = intake
        self._log = log
        self._state = state

    @activity.defn
    async def poll(self, request: PollInput) -> Polled:
        """Read what is new. An outage is an answer, not a failure of the step: it says when to look again."""
        connection = await self._state.get(Connection, request.connection)
        try:
            source = await self._sources.source(request.connection)
        except EffectError as error:
            seconds = connection.poll_seconds if connection else 60
            return await self._troubled(request, {CONNECTING: error}, seconds)
        if connection is None or source is None:
            await self._close_alert(request)
            return Polled(text="nothing to read")
        return await self._read_all(request, connection, source)

    async def _read_all(self, request: PollInput, connection: Connection, source: Source) -> Polled:
        """Every stream, whatever becomes of the others."""
        await self._intake.understand(connection.name, source, now=request.now)  # what an earlier attempt left
        new, more, troubles = 0, False, dict[str, EffectError]()
        for stream in source.streams:
            try:
                found, unread = await self._read(request, source, stream)
            except EffectError as error:
                troubles[stream] = error
                continue
            new, more = new + found, more or unread
        if troubles:
            return await self._troubled(request, troubles, connection.poll_seconds)
        await self._close_alert(request)
        if request.changed:
            await self._list_what_waits(request, connection)
        return Polled(look_again_seconds=0.0 if more else float(connection.poll_seconds), text=f"{new} new")

    async def _read(self, request: PollInput, source: Source, stream: str) -> tuple[int, bool]:
        """How many records were new, and whether there is more to read at once."""
        known = {s.stream: s for s in await self._cursors.streams(request.connection)}
        if CONNECTING in known and known[CONNECTING].failures:
            await self._cursors.advance(request.connection, CONNECTING, "", at=request.now)
        cursor, new = known[stream].cursor if stream in known else "", 0
        for _ in range(_PAGES):
            page = await source.read(stream, cursor, now=request.now)
            new += await self._intake.accept(request.connection, page.records, now=request.now)
            cursor = page.cursor
            await self._cursors.advance(request.connection, stream, cursor, at=request.now)
            await self._intake.understand(request.connection, source, now=request.now)
            if not page.more:
                return new, False
        return new, True

    async def _list_what_waits(self, request: PollInput, connection: Connection) -> None:
        """Wake whoever tells a shop of what came before it was live; once a change of the connection."""
        if connection.mode is not ConnectionMode.LIVE or Capability.SHOP not in connection.serves:
            return
        version = str(await self._state.version(Connection, connection.name))
        orders = waiting_to_be_listed(await self._state.find(Stock))
        due = [new_event(ListingDue(purchase_order_id=o), at=request.now, key=(o, connection.name, version)) for o in orders]
        await self._log.append(due)

    async def _troubled(self, request: PollInput, troubles: Mapping[str, EffectError], poll_seconds: int) -> Polled:
        pauses = []
        for stream, error in troubles.items():
            failures = await self._cursors.failed(request.connection, stream, str(error), at=request.now)
            if failures >= _FAILURES_TO_TELL or isinstance(error, Permanent):
                await self._raise_alert(request, error)
            pauses.append(_pause(error, failures, timedelta(seconds=poll_seconds)))
        text = "; ".join(f"could not read {stream}: {error.message}" for stream, error in troubles.items())
        return Polled(look_again_seconds=max(pauses).total_seconds(), text=text, troubled=True)

    async def _raise_alert(self, request: PollInput, error: EffectError) -> None:
        """Once, until it is closed: a system that stays away is one piece of news."""
        known = await self._state.get(Alert, _alert_key(request))
        if known is None or not known.open:
            alert = Alert(
                key=_alert_key(request),
                level=AlertLevel.WARNING,
                text=f"{request.connection} cannot be read: {error.message}",
                what_to_do=error.hint or f"`./steward connectors` says more; `./steward connect {request.connection}` mends it",
                at=request.now,
            )
            await self._record(request, AlertRaised(alert=alert))

    async def _close_alert(self, request: PollInput) -> None:
        known = await self._state.get(Alert, _alert_key(request))
        if known is not None and known.open:
            await self._record(request, AlertClosed(key=known.key, by="steward"))

    async def _record(self, request: PollInput, data: EventData) -> None:
        await self._log.append([new_event(data, at=request.now, key=(data.stream, request.now.isoformat()))])


def _pause(error: EffectError, failures: int, usual: timedelta) -> timedelta:
    """As long as the system asks, else longer with every failure."""
    if isinstance(error, Retryable) and error.retry_after is not None:
        return max(error.retry_after, usual)
    return min(usual * (1 << min(failures, 12)), max(_LONGEST_PAUSE, usual))


def _alert_key(request: PollInput) -> str:
    return f"connection/{request.connection}"
