"""How long a customer waited for the first answer is counted from when Steward could give it."""

from datetime import UTC, datetime, timedelta

import pytest

import connectors
import memory
from activities.steps import TicketInput
from connectors.fakes import InMemoryAnalytics
from domain.entities import Direction, Message
from domain.event import new_event
from domain.events import MessageReceived, ReplySent, outbound
from models import LocalModel
from models.embedding import HashingEmbedder
from staff import Outside, staff

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(("written", "counts_from"), [(-5 * HOUR, "came in"), (2 * HOUR, "written")])
async def test_a_mail_counts_from_the_later_of_its_date_and_its_coming_in(written: timedelta, counts_from: str) -> None:
    """One that was imported later than it was written was not waiting for Steward before."""
    kept, model = memory.in_memory(embedder=HashingEmbedder()), LocalModel(HashingEmbedder())
    at = datetime.now(UTC) + written
    mail = Message(message_id="m", direction=Direction.INBOUND, sender="a@b.example", at=at, body="Hello?")
    answered = ReplySent(ticket_id="mail/1", message=outbound("r", "us@b.example", at, "Yes.", "m"))
    received = MessageReceived(ticket_id="mail/1", source="mail", message=mail)
    (first, _) = await kept.log.append([new_event(e, at=at, key=(str(n),)) for n, e in enumerate((received, answered))])
    team = staff(kept, Outside(connectors=connectors.in_memory(), analytics=InMemoryAnalytics({}), model=model, intents=model))
    turn = await team.support.plan_turn(TicketInput(run_id="support/mail/1", ticket_id="mail/1", now=at + 8 * HOUR))
    assert turn.first_message_at == {"came in": first.recorded_at, "written": at}[counts_from]
