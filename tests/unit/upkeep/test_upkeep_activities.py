"""The steps of the nightly upkeep, over memory without servers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

import memory
from activities.upkeep import UpkeepActivities, UpkeepInput, months_before
from agents.recall_canary import Canary, remembered
from agents.skills.key_terms import key_terms
from agents.summariser import Summariser
from domain.event import new_event
from domain.events import MessageReceived, NoteTaken, TicketClosed
from domain.knowledge import Recalled
from domain.passage import Passage
from domain.policies import PolicyActivated, PolicyVersion, RetentionPolicy
from domain.ports import Recall
from domain.retention import MonthAttached, RecallCanary, Upkeep
from domain.runs import Alert
from models import LocalModel
from models.embedding import HashingEmbedder
from tests.unit.domain.happenings import message, sale

TEXTS = (
    "The walnut desk lamp arrived with a cracked shade",
    "Our stoneware teapot pours without dripping",
    "Please change the delivery address of order 1001",
    "Linen curtains shrink by three percent when washed hot",
    "The supplier closes for holidays in August",
    "Invoice questions go to the accountant on Thursdays",
)


class Clock:
    """When events are recorded."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Blind:
    """Finds nothing until it is indexed anew."""

    def __init__(self, recall: Recall, *, heals: bool) -> None:
        self._recall, self._heals, self._blind = recall, heals, True

    async def search(self, query: str, *, entities: Sequence[str] = (), limit: int = 8, now: datetime) -> list[Recalled]:
        return [] if self._blind else await self._recall.search(query, entities=entities, limit=limit, now=now)

    async def reindex(self) -> int:
        self._blind = not self._heals
        return await self._recall.reindex()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(clock: Clock) -> memory.Memory:
    return memory.in_memory(embedder=HashingEmbedder(), clock=clock)


def steps(kept: memory.Memory, *, recall: Recall | None = None) -> UpkeepActivities:
    recall = recall or kept.recall
    return UpkeepActivities(
        log=kept.log,
        state=kept.state,
        policies=kept.policies,
        anchors=kept.anchors,
        archive=kept.archive,
        leftovers=kept.leftovers,
        summariser=Summariser(log=kept.log, state=kept.state, policies=kept.policies, model=LocalModel(HashingEmbedder())),
        canary=Canary(recall=recall, passages=kept.passages),
        recall=recall,
        inbox=kept.inbox,
    )


def at(now: datetime) -> UpkeepInput:
    return UpkeepInput(run_id="memory/x", now=now)


async def remember(kept: memory.Memory, now: datetime) -> None:
    notes = [Passage(passage_id=f"note-{n}", text=text, at=now) for n, text in enumerate(TEXTS)]
    await kept.log.append([new_event(NoteTaken(note=note), at=now, key=(note.passage_id,)) for note in notes])


async def in_force(kept: memory.Memory, policy: RetentionPolicy, now: datetime) -> None:
    version = PolicyVersion(
        version=1, document=policy.model_dump(mode="json"), proposed_by="operator", approved_by="operator", at=now
    )
    await kept.log.append([new_event(PolicyActivated(name="retention", version=version), at=now, key=("1",))])


async def test_the_log_is_verified_from_the_last_anchor_on_and_wholly_once_a_week(kept: memory.Memory, clock: Clock) -> None:
    """The first night has no anchor: it reads everything."""
    upkeep, seen = steps(kept), []
    for night in range(9):
        await kept.log.append([sale(night)])
        done = await upkeep.verify_log(at(clock.now + timedelta(days=night)))
        seen.append((done.events, done.whole))
    assert seen == [(1, True), *([(1, False)] * 6), (8, True), (1, False)]


async def test_a_log_that_was_written_anew_does_not_pass_the_whole_verification(kept: memory.Memory, clock: Clock) -> None:
    """It is sound in itself, but it has not the head that was anchored: no new anchor, an alert, night after night."""
    await kept.log.append([sale(1)])
    await steps(kept).verify_log(at(clock.now))
    noted = await kept.anchors.last()
    forged = memory.in_memory(embedder=HashingEmbedder(), clock=clock)
    await forged.log.append([sale(2), sale(3)])
    forged = replace(forged, anchors=kept.anchors)
    for week in (1, 2):
        done = await steps(forged).verify_log(at(clock.now + timedelta(days=7 * week)))
        assert (done.whole, "not part of this log" in done.problem) == (True, True)
    assert await kept.anchors.last() == noted
    assert [alert.key for alert in await forged.state.find(Alert)] == ["log-broken"]


async def test_what_was_kept_for_work_that_is_over_goes_after_its_days(kept: memory.Memory, clock: Clock) -> None:
    """With the months, night by night."""
    await kept.journal.record("key", {"label": "x"}, cost=Decimal(0), engine="local", model="m", at=clock.now)
    await steps(kept).archive_month(at(clock.now + timedelta(days=89)))
    assert await kept.journal.recall("key") == {"label": "x"}
    await steps(kept).archive_month(at(clock.now + timedelta(days=91)))
    assert await kept.journal.recall("key") is None


async def test_months_are_archived_when_they_are_old_enough_one_a_step(kept: memory.Memory, clock: Clock) -> None:
    """The month that is put back stays for a week."""
    for month in (1, 2, 3, 4):
        clock.now = datetime(2026, month, 10, tzinfo=UTC)
        await kept.log.append([sale(month)])
    await in_force(kept, RetentionPolicy(keep_months=1), clock.now)
    upkeep, now = steps(kept), clock.now
    done = [(await upkeep.archive_month(at(now + timedelta(seconds=n)))).partition for n in range(3)]
    assert done == ["event_2026_01", "event_2026_02", ""]
    assert (await upkeep.archive_month(at(now))).partition == "event_2026_01"  # as its first attempt would have said
    await kept.archive.attach("event_2026_01", new_event(MonthAttached(partition="event_2026_01", at=now), at=now, key=("back",)))
    assert (await upkeep.archive_month(at(now + timedelta(days=6)))).partition == ""
    assert (await upkeep.archive_month(at(now + timedelta(days=8)))).partition == "event_2026_01"


async def test_summaries_stop_at_the_nights_limit_and_go_on_the_next_night(kept: memory.Memory, clock: Clock) -> None:
    """None is written twice."""
    await in_force(kept, RetentionPolicy(summaries_per_night=2), clock.now)
    for number in range(3):
        body = message(f"m{number}", f"Where is order 100{number}?").model_copy(update={"at": clock.now})
        received = MessageReceived(ticket_id=str(number), source="mail", message=body)
        closed = TicketClosed(ticket_id=str(number), reason="done")
        await kept.log.append([new_event(e, at=clock.now, key=(str(number),)) for e in (received, closed)])
    nights = [await steps(kept).summarise(at(clock.now + timedelta(days=40 + n))) for n in range(3)]
    assert [night.written for night in nights] == [2, 1, 0]


async def test_recall_is_checked_once_a_week(kept: memory.Memory, clock: Clock) -> None:
    """What was found becomes a pair that has to be found from then on."""
    await remember(kept, clock.now)
    upkeep = steps(kept)
    done = await upkeep.check_recall(at(clock.now))
    assert (done.found, done.asked, done.reindexed) == (6, 6, 0)
    assert (await upkeep.check_recall(at(clock.now + timedelta(days=6)))).asked == 0
    assert (await upkeep.check_recall(at(clock.now + timedelta(days=7)))).asked == 6
    canary = await kept.state.get(RecallCanary, "recall")
    assert canary is not None
    assert len(canary.pairs) == 6


@pytest.mark.parametrize(("heals", "found", "level"), [(True, 6, "info"), (False, 0, "warning")])
async def test_recall_that_drops_is_an_alert_and_indexed_anew(
    kept: memory.Memory, clock: Clock, heals: bool, found: int, level: str
) -> None:
    """And the alert says whether that helped."""
    await remember(kept, clock.now)
    done = await steps(kept, recall=Blind(kept.recall, heals=heals)).check_recall(at(clock.now))
    assert (done.found, done.asked, done.reindexed) == (found, 6, 6)
    (alert,) = await kept.state.find(Alert)
    assert (alert.level, alert.text.startswith("recall found 0 of 6 texts")) == (level, True)


async def test_a_pair_whose_text_was_rewritten_is_not_asked_for(kept: memory.Memory, clock: Clock) -> None:
    """Only what still says what was asked for must be found."""
    await remember(kept, clock.now)
    canary = Canary(recall=kept.recall, passages=kept.passages)
    recorded = remembered((), await canary.look((), sample=6))
    other = Passage(passage_id="note-0", text="Something else entirely now", at=clock.now)
    await kept.log.append([new_event(NoteTaken(note=other), at=clock.now, key=("again",))])
    sighting = await canary.look(recorded, sample=0)
    assert "note-0" not in {pair.passage_id for pair in sighting.found + sighting.lost}
    assert sighting.asked == 5


def test_key_terms_prefer_identifiers_and_long_words() -> None:
    """In the order in which they stand."""
    assert key_terms("The order 1001 of a remarkable teapot was lost", limit=3) == "1001 remarkable teapot"


def test_months_are_counted_back_over_the_years_end() -> None:
    """From the first moment of this month."""
    moment = datetime(2026, 2, 15, 8, tzinfo=UTC)
    assert [months_before(moment, n).date().isoformat() for n in (0, 1, 2, 14)] == [
        "2026-02-01", "2026-01-01", "2025-12-01", "2024-12-01",
    ]  # fmt: skip


def test_the_record_reads_as_one_line() -> None:
    """For the digest."""
    done = {"verified": 412, "summaries": 3, "archived": ("event_2025_01",), "recall_found": 48, "recall_asked": 50}
    upkeep = Upkeep.model_validate({"day": "x", "at": datetime(2026, 1, 1, tzinfo=UTC), **done})
    assert upkeep.line == "memory upkeep: 412 events verified, 3 summaries, 1 month archived, recall 48/50"


async def test_what_came_in_is_forgotten_byte_for_byte_once_it_was_understood_long_ago(kept: memory.Memory, clock: Clock) -> None:
    """Not what waits, however old, and not what was understood lately; a repeat is still known as one; again finds nothing."""
    old, lately = clock.now - timedelta(days=181), clock.now - timedelta(days=179)
    for name, at_ in (("old", old), ("noted", old), ("lately", old), ("waits", old)):
        assert await kept.inbox.receive("shop/orders", name, b"bytes", at=at_)
    await kept.inbox.understood("shop/orders", "old", at=old)
    await kept.inbox.understood("shop/orders", "noted", note="makes no sense", at=old)
    await kept.inbox.understood("shop/orders", "lately", at=lately)
    assert (await steps(kept).blank_deliveries(at(clock.now))).deliveries == 2
    assert (await steps(kept).blank_deliveries(at(clock.now))).deliveries == 0
    assert not await kept.inbox.receive("shop/orders", "old", b"bytes", at=clock.now)
    assert [(d.external_id, d.raw) for d in await kept.inbox.waiting("shop/orders")] == [("waits", b"bytes")]
    assert "2 deliveries forgotten" in Upkeep(day="2026-01-10", at=clock.now, blanked=2).line


async def test_how_long_bytes_are_kept_is_the_operators_to_say(kept: memory.Memory, clock: Clock) -> None:
    await in_force(kept, RetentionPolicy(keep_raw_days=2), clock.now)
    await kept.inbox.receive("shop/orders", "1", b"bytes", at=clock.now)
    await kept.inbox.understood("shop/orders", "1", at=clock.now)
    for days, many in ((1, 0), (3, 1)):
        assert (await steps(kept).blank_deliveries(at(clock.now + timedelta(days=days)))).deliveries == many
