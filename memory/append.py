"""Appending to the log inside a transaction: the one way in, for the log and for the ledger's commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.catalogue import EVENT_TYPES, load_event, split_stream
from domain.errors import ArchiveDamaged, DuplicateConflict, InvalidInput, VersionConflict
from domain.event import Event, EventData, NewEvent
from domain.knowledge import Head
from domain.policies import PolicyRecord
from domain.runs import Controls
from memory import projections
from memory.chain import as_stored, hash_of
from memory.database import Connection, execute, fetch, storable_json
from memory.folding import Folder, Step, StreamState
from memory.segments import SegmentFolder
from memory.sql import statement
from memory.whole_log import archived_events

_TICK = timedelta(microseconds=1)
_NOTICE_BYTES = 7_900  # Postgres refuses notifications of 8,000 bytes
EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Start:
    """Where an append begins: the head of the chain and the moment of its first event."""

    head: Head
    recorded_at: datetime


async def append(
    connection: Connection,
    events: Sequence[NewEvent],
    *,
    expected: Mapping[str, int] | None = None,
    archive: SegmentFolder | None = None,
) -> list[Event]:
    """See ``ports.EventLog.append``. Everything happens in the transaction of ``connection``.

    A repeat of an event whose month is archived is compared with the file; without ``archive`` it raises ArchiveDamaged.
    """
    wanted = distinct(events)
    if not wanted:
        return []
    start = await _lock_head(connection)
    known = {e.event_id: e for e in await _known(connection, list(wanted), archive)}
    for event_id, event in known.items():
        check_same(event, wanted[event_id])
    fresh = [event for event_id, event in wanted.items() if event_id not in known]
    if fresh:
        await _hold_controls(connection, fresh)
        states = await projections.states(connection, {*(e.data.stream for e in fresh), *(expected or ())})
        check_expected(states, expected or {})
        folder = Folder(states)
        steps = [folder.fold(event.data) for event in fresh]
        sealed = seal(fresh, steps, start)
        await _write(connection, sealed)
        await projections.project(connection, sealed, [event.data for event in fresh])
        await _wake(connection, sealed, steps)
        known |= {event.event_id: event for event in sealed}
    return [known[event.event_id] for event in events]


def distinct(events: Sequence[NewEvent]) -> dict[UUID, NewEvent]:
    """The events by id. Raises InvalidInput for one that cannot be stored, DuplicateConflict for an id used twice."""
    wanted: dict[UUID, NewEvent] = {}
    for event in events:
        _check_storable(event)
        first = wanted.setdefault(event.event_id, event)
        if first is not event and _content(first.data) != _content(event.data):
            raise DuplicateConflict(f"event {event.event_id} is in this batch twice with different content", hint="derive the id")
    return wanted


def _check_storable(event: NewEvent) -> None:
    data = event.data
    if not isinstance(data, EventData) or EVENT_TYPES.get(data.type) is not type(data):
        raise InvalidInput(f"{type(data).__name__} is not an event", hint="list it in domain.catalogue")
    split_stream(data.stream)
    storable_json(event.model_dump(mode="json", exclude={"data"}) | {"data": _content(data)})
    for fact in data.facts(event.at):
        if fact.valid_to is not None and fact.valid_to <= fact.valid_from:
            raise InvalidInput(f"the fact {fact.subject}#{fact.predicate} ends before it begins", hint="mend valid_to")


def _content(data: EventData) -> tuple[str, dict[str, Any]]:
    return data.type, data.model_dump(mode="json")


def check_same(stored: Event, event: NewEvent) -> None:
    """What happened is compared, not who said so when: a repeat may come later and from another attempt."""
    if stored.type != event.data.type or load_event(stored.type, stored.data) != load_event(*_content(event.data)):
        raise DuplicateConflict(
            f"event {event.event_id} is in the log already (event {stored.seq}, {stored.type}) with other content",
            hint="derive the id from what makes this occurrence unique",
        )


def check_expected(states: Mapping[str, StreamState], expected: Mapping[str, int]) -> None:
    for stream, version in expected.items():
        found = states[stream].version if stream in states else 0
        if found != version:
            raise VersionConflict(f"{stream} is at version {found}, not {version}", hint="read it again and decide anew")


def seal(events: Sequence[NewEvent], steps: Sequence[Step], start: Start) -> list[Event]:
    """The events as they will stand in the log. Each is recorded a microsecond after the one before."""
    sealed = []
    head = start.head
    for place, (event, step) in enumerate(zip(events, steps, strict=True)):
        columns = _columns(event, step) | {
            "seq": head.seq + 1,
            "recorded_at": start.recorded_at + place * _TICK,
            "prev_hash": head.hash,
        }
        head = Head(seq=head.seq + 1, hash=hash_of(columns))
        sealed.append(Event(**columns, hash=head.hash))
    return sealed


def _columns(event: NewEvent, step: Step) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "source": event.source,
        "type": event.data.type,
        "at": event.at,
        "stream": step.stream,
        "stream_version": step.version,
        "data": as_stored(event.data.model_dump(mode="json")),
        "actor": event.actor,
        "correlation_id": event.correlation_id,
        "causation_id": event.causation_id,
        "schema_version": event.data.schema_version,
        "pre": step.pre,
        "post": step.post,
        "policy_versions": event.policy_versions,
        "flags": event.flags,
    }


async def _lock_head(connection: Connection) -> Start:
    (row,) = await fetch(connection, "lock_head")
    await execute(connection, "ensure_partitions", {"moment": row["now"]})
    return Start(Head(seq=row["seq"], hash=row["hash"]), row["now"])


async def _hold_controls(connection: Connection, events: Sequence[NewEvent]) -> None:
    """A change of the switches or of a policy waits for the reservations under way, and those after it see it."""
    if any(event.data.entity in (Controls, PolicyRecord) for event in events):
        await fetch(connection, "change_controls")


async def _known(connection: Connection, ids: list[UUID], archive: SegmentFolder | None) -> list[Event]:
    seqs = [row["seq"] for row in await fetch(connection, "known_places", {"ids": ids})]
    if not seqs:
        return []
    known = [Event.model_validate(row) for row in await fetch(connection, "events_at", {"seqs": seqs})]
    if archived := set(seqs) - {event.seq for event in known}:
        if archive is None:
            raise ArchiveDamaged(f"event {min(archived)} is in an archived month", hint="`steward memory archives` shows which")
        known += await archived_events(connection, archive, archived)
    return known


async def _write(connection: Connection, events: Sequence[Event]) -> None:
    async with connection.cursor() as cursor:
        async with cursor.copy(statement("copy_events")) as copy:
            for event in events:
                await copy.write_row(row_of(event))
        async with cursor.copy(statement("copy_event_keys")) as copy:
            for event in events:
                await copy.write_row((event.event_id, event.seq, event.stream, event.stream_version))
    last = events[-1]
    await execute(connection, "advance_head", {"seq": last.seq, "hash": last.hash, "recorded_at": last.recorded_at})


def row_of(event: Event) -> tuple[Any, ...]:
    """In the order of the statement, which is the order of the model's fields."""
    return tuple(storable_json(value) if isinstance(value, dict) else value for _, value in event)


async def _wake(connection: Connection, events: Sequence[Event], steps: Sequence[Step]) -> None:
    """Wake-ups for the outbox, and notices for whoever keeps copies; both reach others when the transaction commits."""
    wakes = [(e, s.wake) for e, s in zip(events, steps, strict=True) if s.wake is not None]
    if wakes:
        columns = {
            "topics": [wake.topic.value for _, wake in wakes],
            "keys": [wake.key for _, wake in wakes],
            "event_ids": [event.event_id for event, _ in wakes],
            "times": [event.at for event, _ in wakes],
        }
        await execute(connection, "add_wakes", columns)
    streams = "\n".join(dict.fromkeys(e.stream for e in events))
    notice = streams if len(streams.encode()) < _NOTICE_BYTES else EVERYTHING
    await fetch(connection, "notify", {"streams": notice, "wakes": len(wakes)})
