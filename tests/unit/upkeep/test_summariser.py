"""Closed matters are summed up from their events, and nothing that was invented is kept."""

from datetime import datetime, timedelta

import pytest

import memory
from agents.summariser import Summariser
from domain.entities import ContentMetrics, ContentPiece, PurchaseOrder, PurchaseOrderLine
from domain.errors import Permanent
from domain.event import EventData, new_event
from domain.events import (
    ContentMeasured,
    ContentPublished,
    MessageReceived,
    PurchaseOrderReceived,
    PurchaseOrderSent,
    ReplySent,
    TicketClosed,
    TicketTriaged,
    outbound,
)
from domain.money import Money
from domain.ports import Model
from domain.retention import Summary, SummaryWritten
from domain.runs import RunFinished, RunStarted
from domain.tasks import SUMMARISE, SummaryDraft
from models import LocalModel
from models.embedding import HashingEmbedder
from models.scripted import ScriptedModel
from tests.unit.domain.happenings import NOW, message

LATER = NOW + timedelta(days=60)


@pytest.fixture
def kept() -> memory.Memory:
    return memory.in_memory(embedder=HashingEmbedder(), clock=lambda: NOW)


async def record(kept: memory.Memory, *happenings: EventData, at: datetime = NOW) -> None:
    await kept.log.append([new_event(data, at=at, key=(at.isoformat(), str(n))) for n, data in enumerate(happenings)])


async def close_ticket(kept: memory.Memory, *, body: str = "The mug from order 1001 came broken.") -> None:
    reply = outbound("r1", "shop@shop.example", NOW, "We have refunded 20.00 EUR to you.", "m1")
    await record(
        kept,
        MessageReceived(ticket_id="mail/1", source="mail", subject="Broken mug", message=message("m1", body)),
        TicketTriaged(
            ticket_id="mail/1", intent="damaged", urgency="high", language="en", confidence=0.9, engine="local", order_id="1001"
        ),
        ReplySent(ticket_id="mail/1", message=reply),
    )
    await record(kept, TicketClosed(ticket_id="mail/1", reason="no answer for 7 days"), at=NOW + timedelta(days=7))


async def summary_by(kept: memory.Memory, model: Model, subject: str = "ticket/mail/1") -> Summary | None:
    attempt = await Summariser(log=kept.log, state=kept.state, policies=kept.policies, model=model).summarise(
        subject, before=LATER - timedelta(days=30), now=LATER
    )
    return attempt.summary if attempt else None


def saying(text: str) -> ScriptedModel:
    return ScriptedModel({SUMMARISE.name: [SummaryDraft(text=text)]})


async def test_a_closed_ticket_is_summed_up_without_a_model_key(kept: memory.Memory) -> None:
    """Every figure copied, every source named."""
    await close_ticket(kept)
    summary = await summary_by(kept, LocalModel(HashingEmbedder()))
    assert summary is not None
    assert summary.text == (
        "Ticket mail/1, “Broken mug”. It was about damaged. It concerned order 1001. Opened on 1 March 2026, closed on "
        "8 March 2026: no answer for 7 days. The customer wrote: “The mug from order 1001 came broken.” The last answer was: "
        "“We have refunded 20.00 EUR to you.”"
    )
    assert (summary.sources, summary.until) == ((1, 2, 3, 4), NOW + timedelta(days=7))


@pytest.mark.parametrize(
    ("text", "kept_text"),
    [
        ("The mug of order 1001 came broken; 20 EUR were refunded by 8 March 2026.", True),
        ("The mug of order 1001 came broken; 25 EUR were refunded.", False),
        ("The mug of order 1002 came broken; 20 EUR were refunded.", False),
        ("The mug of order 1001 came broken; it was closed on 9 March 2026.", False),
        ("Ticket mail/2 was closed.", False),
    ],
)
async def test_a_models_summary_with_an_invented_figure_is_rejected(kept: memory.Memory, text: str, kept_text: bool) -> None:
    """The template's stands in for it."""
    await close_ticket(kept)
    summary = await summary_by(kept, saying(text))
    assert summary is not None
    assert (summary.text == text, summary.engine) == ((True, "script") if kept_text else (False, "template"))


async def test_a_model_that_fails_costs_only_the_wording(kept: memory.Memory) -> None:
    """The template is always there."""
    await close_ticket(kept)
    summary = await summary_by(kept, ScriptedModel({SUMMARISE.name: [Permanent("no")]}))
    assert summary is not None
    assert summary.engine == "template"


async def test_a_long_message_is_not_cut_within_a_number(kept: memory.Memory) -> None:
    """Half a number would be another number."""
    await close_ticket(kept, body="word " * 46 + "123456789 987654321 and so on")
    summary = await summary_by(kept, LocalModel(HashingEmbedder()))
    assert summary is not None
    assert "12345678" not in summary.text.replace("123456789", "")


async def test_a_summary_is_searchable_and_dated_when_the_matter_ended(kept: memory.Memory) -> None:
    """As a text about its subject."""
    await close_ticket(kept)
    summary = await summary_by(kept, LocalModel(HashingEmbedder()))
    assert summary is not None
    await record(kept, SummaryWritten(summary=summary), at=LATER)
    found = await kept.recall.search("broken mug refunded", entities=["ticket/mail/1"], now=LATER)
    (passage,) = (r.passage for r in found if r.passage.kind == "summary")
    assert (passage.at, passage.entities) == (summary.until, ("ticket/mail/1",))


async def due(kept: memory.Memory, *, before: datetime) -> list[str]:
    summariser = Summariser(log=kept.log, state=kept.state, policies=kept.policies, model=LocalModel(HashingEmbedder()))
    return [subject async for subject in summariser.due(before=before)]


async def test_only_what_ended_long_enough_ago_is_due_and_only_once(kept: memory.Memory) -> None:
    """A ticket that was reopened and closed again is summed up again."""
    await close_ticket(kept)
    assert await due(kept, before=NOW) == []
    assert await due(kept, before=LATER) == ["ticket/mail/1"]
    summary = await summary_by(kept, LocalModel(HashingEmbedder()))
    assert summary is not None
    await record(kept, SummaryWritten(summary=summary), at=LATER)
    assert await due(kept, before=LATER) == []
    again = message("m2", "It broke again.").model_copy(update={"at": LATER})
    reopened = MessageReceived(ticket_id="mail/1", source="mail", message=again)
    await record(kept, reopened, TicketClosed(ticket_id="mail/1", reason="done"), at=LATER)
    assert await due(kept, before=LATER + timedelta(days=1)) == ["ticket/mail/1"]


async def test_purchase_orders_and_pages_are_summed_up_too(kept: memory.Memory) -> None:
    """With their lines, and with what was measured last."""
    lines = (PurchaseOrderLine(sku="MUG", title="Moss mug", units=1200, unit_cost=Money.of("4")),)
    order = PurchaseOrder(purchase_order_id="PO-7", supplier_id="acme", lines=lines, ordered_at=NOW, expected_at=NOW)
    piece = ContentPiece(
        slug="moss-mug",
        kind="product-guide",
        title="The moss mug",
        description="All of it",
        body="…",
        keyword="moss mug",
        published_at=NOW,
    )
    metrics = ContentMetrics(day=NOW.date(), impressions=420, clicks=17)
    await record(
        kept,
        PurchaseOrderSent(purchase_order=order),
        PurchaseOrderReceived(purchase_order_id="PO-7", at=NOW),
        RunStarted(run_id="content/moss-mug", workflow="content", at=NOW),
        ContentPublished(piece=piece),
        ContentMeasured(slug="moss-mug", metrics=metrics),
        RunFinished(run_id="content/moss-mug", at=NOW, result="published, measured over 14 days"),
    )
    assert await due(kept, before=LATER) == ["purchase-order/PO-7", "run/content/moss-mug"]
    texts = [await summary_by(kept, LocalModel(HashingEmbedder()), subject) for subject in await due(kept, before=LATER)]
    ordered, page = (summary.text for summary in texts if summary)
    assert "1200 x Moss mug (MUG) at 4.00 EUR" in ordered
    assert "impressions 420, clicks 17" in page
