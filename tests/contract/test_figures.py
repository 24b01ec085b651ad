"""One contract for figures by day: the fake and Postgres count the same."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

import memory
from domain.approvals import ApprovalDecided, ApprovalRequested, Decision, Verb
from domain.entities import ContentMetrics, Refund
from domain.event import EventData, new_event
from domain.events import (
    ContentMeasured,
    ContentPublished,
    MessageReceived,
    OrderPlaced,
    OrderRefunded,
    ProductListed,
    SaleRecorded,
    StockCounted,
    TicketClosed,
    TicketHandedOver,
    TicketTriaged,
)
from domain.labels import Label, LabelGiven, LabelSource
from domain.money import Money
from domain.runs import Outcome, OutcomeRecorded, RunStarted
from memory.figures import Days, Figure
from models.embedding import HashingEmbedder
from tests.console.furnish import approval, piece, questions
from tests.unit.domain.happenings import message, order, product

BERLIN = "Europe/Berlin"
NIGHT = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
"""Half past midnight of 2 March in Berlin."""
SECOND, THIRD = date(2026, 3, 2), date(2026, 3, 3)
DAYS = Days.until(NIGHT + timedelta(days=1), zone=BERLIN, count=7)


@pytest.fixture(params=["in-memory", "postgres"])
def urls(request: pytest.FixtureRequest) -> dict[str, str] | None:
    """The addresses of the servers, started only for the tests that use them."""
    if request.param == "in-memory":
        return None
    return {name: request.getfixturevalue(name) for name in ("database_url", "chroma_url")}


@pytest.fixture
async def kept(urls: dict[str, str] | None) -> AsyncIterator[memory.Memory]:
    """Memory of either kind, empty."""
    if urls is None:
        yield memory.in_memory(embedder=HashingEmbedder())
        return
    async with memory.open_memory(
        database_url=urls["database_url"], chroma_url=urls["chroma_url"], embedder=HashingEmbedder()
    ) as opened:
        yield opened


async def happens(kept: memory.Memory, *events: EventData, at: datetime = NIGHT) -> None:
    """Each in an append of its own, in their order."""
    for event in events:
        number = (await kept.log.head()).seq
        await kept.log.append([new_event(event, at=at, key=(str(number),))])


async def counted(kept: memory.Memory, *names: Figure) -> list[dict[date, Decimal]]:
    found = await kept.figures.by_day(names, DAYS)
    return [found[name] for name in names]


async def test_days_are_those_of_the_shop(kept: memory.Memory) -> None:
    """Half past midnight belongs to the new day, and what lies before the first day is not counted."""
    assert (DAYS.first, DAYS.last, DAYS.begin) == (date(2026, 2, 25), THIRD, datetime(2026, 2, 24, 23, tzinfo=UTC))
    await happens(kept, MessageReceived(ticket_id="t1", source="mail", message=message("m1", "Hello")))
    await happens(kept, TicketHandedOver(ticket_id="t1", reason="hard"), TicketHandedOver(ticket_id="t1", reason="harder"))
    await happens(kept, TicketHandedOver(ticket_id="t1", reason="old"), at=DAYS.begin - timedelta(seconds=1))
    assert await counted(kept, Figure.HANDED_OVER) == [{SECOND: 1}]


async def test_what_the_operator_decided(kept: memory.Memory) -> None:
    """An answer counts, an edit or a rejection as a change, a snooze as none."""
    action, topic, reason = questions(NIGHT)[1]
    for n, verb in enumerate(verb for verb in Verb if verb is not Verb.UNDO):
        asked = approval(n, action, f"run-{n}", topic=topic, reason=reason, now=NIGHT)
        decision = Decision(
            decision_id=f"d{n}",
            approval_id=asked.approval_id,
            verb=verb,
            digest="",
            by="operator",
            snooze_until=NIGHT + timedelta(hours=1) if verb is Verb.SNOOZE else None,
        )
        await happens(
            kept, ApprovalRequested(approval=asked), ApprovalDecided(approval_id=asked.approval_id, decision=decision, at=NIGHT)
        )
    answers = sum(verb in (Verb.APPROVE, Verb.EDIT, Verb.REJECT) for verb in Verb)
    assert await counted(kept, Figure.DECIDED, Figure.CHANGED) == [{SECOND: answers}, {SECOND: 2}]


async def test_tickets_that_come_and_go(kept: memory.Memory) -> None:
    """A message to an open ticket opens none; one to a closed ticket opens it again."""
    mail = [MessageReceived(ticket_id="t1", source="mail", message=message(f"m{n}", "Hello")) for n in range(3)]
    await happens(kept, mail[0], mail[1], TicketClosed(ticket_id="t1", reason="done"))
    await happens(kept, mail[2], at=NIGHT + timedelta(days=1))
    assert await counted(kept, Figure.OPENED, Figure.CLOSED) == [{SECOND: 1, THIRD: 1}, {SECOND: 1}]
    assert await kept.figures.open_tickets() == 1


async def test_the_time_to_a_first_response_is_the_median(kept: memory.Memory) -> None:
    """Of that metric alone."""
    await happens(kept, RunStarted(run_id="r", workflow="support", at=NIGHT))
    for metric, value in (("first-response-minutes", 2.0), ("first-response-minutes", 5.0), ("reopened", 1.0)):
        await happens(kept, OutcomeRecorded(run_id="r", outcome=Outcome(metric=metric, value=value, at=NIGHT)))
    assert await counted(kept, Figure.FIRST_RESPONSE) == [{SECOND: Decimal("3.5")}]


async def test_money_is_summed_in_one_currency(kept: memory.Memory) -> None:
    """Refunds in the shop's; what models cost is in dollars of its own."""
    await happens(kept, OrderPlaced(order=order()))
    for n, amount in enumerate((Money.of("4.50"), Money.of("2"), Money.of("9", "USD"))):
        await happens(kept, OrderRefunded(order_id="1001", refund=Refund(refund_id=str(n), amount=amount, reason="late", at=NIGHT)))
    await kept.journal.record("k", {}, cost=Decimal("0.02"), engine="claude", model="m", at=NIGHT)
    assert await counted(kept, Figure.REFUNDED, Figure.SPENT) == [{SECOND: Decimal("6.50")}, {SECOND: Decimal("0.02")}]


async def test_what_runs_out(kept: memory.Memory) -> None:
    """The sale of the last unit counts, one more below it does not; an article that is not on sale is not missed."""
    listed = product("MUG")
    await happens(kept, ProductListed(product=listed), StockCounted(sku="MUG", on_hand=1), StockCounted(sku="GONE", on_hand=0))
    await happens(kept, *(SaleRecorded(sku="MUG", units=1, day=SECOND) for _ in range(2)))
    assert await counted(kept, Figure.RAN_OUT) == [{SECOND: 1}]
    assert await kept.figures.out_of_stock() == 1
    await happens(kept, ProductListed(product=listed.model_copy(update={"active": False})))
    assert await kept.figures.out_of_stock() == 0


async def test_triage_is_judged_by_what_people_say(kept: memory.Memory) -> None:
    """Against what it had said last before."""
    for ticket, intent in (("t1", "damaged"), ("t2", "damaged")):
        seen = {"intent": intent, "urgency": "normal", "language": "en", "confidence": 0.9, "engine": "local"}
        await happens(kept, MessageReceived(ticket_id=ticket, source="mail", message=message(ticket, "Hello")))
        await happens(kept, TicketTriaged.model_validate({"ticket_id": ticket, **seen}))
    for ticket, said in (("t1", "damaged"), ("t2", "refund"), ("never-triaged", "refund")):
        label = Label(ticket_id=ticket, text="Hello", intent=said, source=LabelSource.AUDITED, by="operator", at=NIGHT)
        await happens(kept, LabelGiven(label=label))
    assert await counted(kept, Figure.JUDGED, Figure.RIGHT) == [{SECOND: 2}, {SECOND: 1}]


async def test_clicks_count_for_the_day_they_were_made(kept: memory.Memory) -> None:
    """A later figure of the same day replaces the earlier one."""
    await happens(kept, ContentPublished(piece=piece(NIGHT)))
    for clicks in (3, 4):
        await happens(
            kept, ContentMeasured(slug="choosing-a-mug", metrics=ContentMetrics(day=THIRD, impressions=100, clicks=clicks))
        )
    assert await counted(kept, Figure.IMPRESSIONS, Figure.CLICKS) == [{THIRD: 100}, {THIRD: 4}]
