"""Writing what events fold into: state, sales and facts. The same code serves a live append and a replay."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.catalogue import split_stream
from domain.event import Event, EventData, SalesRow
from domain.passage import Passage
from memory.beliefs import Belief, Beliefs
from memory.database import Connection, execute, fetch, json_of
from memory.folding import StreamState


async def states(connection: Connection, streams: Iterable[str]) -> dict[str, StreamState]:
    """Where each of ``streams`` stands; streams that have not begun are absent."""
    keys = [split_stream(stream) for stream in streams]
    rows = await fetch(connection, "read_states", {"kinds": [k for k, _ in keys], "ids": [i for _, i in keys]})
    return {f"{row['kind']}/{row['id']}": StreamState(row["version"], row["body"]) for row in rows}


async def project(connection: Connection, events: Sequence[Event], data: Sequence[EventData]) -> None:
    """Write the projections of ``events``; ``data`` are their typed contents, in the same order."""
    await _write_state(connection, events)
    await _write_sales(connection, merge_sales(row for item in data for row in item.sales()))
    await _write_facts(connection, events, data)
    await _write_passages(connection, latest_passages(events, data).values())


async def _write_state(connection: Connection, events: Sequence[Event]) -> None:
    last = {split_stream(event.stream): event for event in events}
    rows = [
        {"kind": kind, "id": key, "version": event.stream_version, "body": event.post, "seq": event.seq}
        for (kind, key), event in last.items()
    ]
    await execute(connection, "write_states", {"rows": json_of(rows)})


@dataclass
class SalesChange:
    """What a batch does to one SKU and day. ``restated`` replaces what is there; otherwise it adds to it."""

    units: int = 0
    orders: int = 0
    returned: int = 0
    revenue: Decimal = Decimal(0)
    restated: bool = False


def merge_sales(rows: Iterable[SalesRow]) -> dict[tuple[str, date], SalesChange]:
    """One change a SKU and day, in the order of the rows: a restatement forgets what came before it."""
    changes: dict[tuple[str, date], SalesChange] = {}
    for row in rows:
        key = (row.sku, row.day)
        change = changes.get(key)
        if change is None or not row.additive:
            change = changes[key] = SalesChange(restated=not row.additive)
        change.units += row.units
        change.orders += row.orders
        change.returned += row.returned
        change.revenue += row.revenue
    return changes


async def _write_sales(connection: Connection, changes: Mapping[tuple[str, date], SalesChange]) -> None:
    for statement, restated in (("restate_sales", True), ("add_sales", False)):
        rows = [{"sku": sku, "day": day, **vars(c)} for (sku, day), c in changes.items() if c.restated is restated]
        if rows:
            await execute(connection, statement, {"rows": json_of(rows)})


async def _write_facts(connection: Connection, events: Sequence[Event], data: Sequence[EventData]) -> None:
    stated = [(event, change) for event, item in zip(events, data, strict=True) for change in item.facts(event.at)]
    if not stated:
        return
    about = list(dict.fromkeys((change.subject, change.predicate) for _, change in stated))
    columns = {"subjects": [subject for subject, _ in about], "predicates": [predicate for _, predicate in about]}
    rows = await fetch(connection, "open_beliefs", columns)
    beliefs = Beliefs.of(Belief(**row) for row in rows)
    for event, change in stated:
        beliefs.apply(change, source=event.event_id, now=event.recorded_at)
    if beliefs.closed:
        closed = {"rows": list(beliefs.closed), "times": list(beliefs.closed.values())}
        await execute(connection, "close_beliefs", closed)
    if beliefs.added:
        added = [vars(belief) for belief in beliefs.added]
        await execute(connection, "add_beliefs", {"rows": json_of(added)})


def latest_passages(events: Sequence[Event], data: Sequence[EventData]) -> dict[str, Passage]:
    """The texts of the events by id; of two with one id the later."""
    return {p.passage_id: p for event, item in zip(events, data, strict=True) for p in item.passages(event.at)}


async def _write_passages(connection: Connection, passages: Iterable[Passage]) -> None:
    rows = [passage.model_dump(mode="json") for passage in passages]
    if rows:
        await execute(connection, "write_passages", {"passages": json_of(rows)})
