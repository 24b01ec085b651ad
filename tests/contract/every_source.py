"""The contract of sources: nothing is lost, nothing comes twice, and a repeat means nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

import memory
from activities.intake import Intake
from domain.connections import Record, Webhook
from domain.errors import InvalidInput, NotFound
from domain.ports import Source
from models.embedding import HashingEmbedder
from tests.contract.outside_cases import LATER, NOW


@dataclass(frozen=True)
class SourceCase:
    """``arrive`` lets so many new things happen in the outside system, each of which is to become at least one event."""

    source: Source
    stream: str
    arrive: Callable[[int], Awaitable[None]]


async def read(case: SourceCase, cursor: str) -> tuple[list[Record], str]:
    """Everything after ``cursor``, and where it ends."""
    found: list[Record] = []
    for _ in range(100):
        page = await case.source.read(case.stream, cursor, now=NOW)
        found += page.records
        cursor = page.cursor
        if not page.more:
            return found, cursor
    raise AssertionError("it always says that there is more")


class EverySource:
    """Whoever subclasses it gives the fixture ``source_case``."""

    async def test_what_is_new_is_read_once(self, source_case: SourceCase) -> None:
        """In pages, from the start; then only what came after; then nothing."""
        await source_case.arrive(5)
        first, cursor = await read(source_case, "")
        await source_case.arrive(2)
        second, cursor = await read(source_case, cursor)
        nothing, same = await read(source_case, cursor)
        assert (len(first), len(second), nothing) == (5, 2, [])
        assert len({record.external_id for record in (*first, *second)}) == 7
        assert {record.stream for record in first} == {source_case.stream}
        assert (await read(source_case, same))[0] == []

    async def test_the_same_cursor_gives_the_same_again(self, source_case: SourceCase) -> None:
        """So that a reading that died before its cursor was kept loses nothing, and adds nothing."""
        await source_case.arrive(3)
        first, _ = await read(source_case, "")
        again, _ = await read(source_case, "")
        assert first == again

    async def test_deliveries_become_events_once(self, source_case: SourceCase) -> None:
        """Read twice, in whatever order, and understood twice: the log is the same as after once."""
        kept = memory.in_memory(embedder=HashingEmbedder())
        intake = Intake(inbox=kept.inbox, log=kept.log, state=kept.state)
        await source_case.arrive(3)
        records, _ = await read(source_case, "")
        assert await intake.accept("case", records, now=NOW) == 3
        await intake.understand("case", source_case.source, now=NOW)
        events = await kept.log.read()
        assert len(events) >= 3
        assert await intake.accept("case", tuple(reversed(records)), now=LATER) == 0
        renamed = [record.model_copy(update={"external_id": f"again/{record.external_id}"}) for record in reversed(records)]
        await intake.accept("case", renamed, now=LATER)
        await intake.understand("case", source_case.source, now=LATER)
        assert await kept.log.read() == events

    async def test_nonsense_is_put_aside_with_a_reason(self, source_case: SourceCase) -> None:
        """It holds up nothing, and raises nothing but errors of its own."""
        kept = memory.in_memory(embedder=HashingEmbedder())
        intake = Intake(inbox=kept.inbox, log=kept.log, state=kept.state)
        bad = [Record(stream=source_case.stream, external_id=str(n), raw=raw) for n, raw in enumerate(NONSENSE)]
        await intake.accept("case", bad, now=NOW)
        await intake.understand("case", source_case.source, now=NOW)
        assert await kept.inbox.waiting(f"case/{source_case.stream}") == []
        assert await kept.log.read() == []

    async def test_a_call_that_nobody_signed_is_refused(self, source_case: SourceCase) -> None:
        with pytest.raises((InvalidInput, NotFound)):
            source_case.source.verify_webhook(Webhook(headers={}, body=b"{}", at=NOW))


NONSENSE = (b"", b"\x00", b"\xff\xfe" * 50, b"[]", b"{}", b"null", b"[" * 5_000, b'{"id": 1e999}', b"<html>")
