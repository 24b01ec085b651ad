"""What a run's end says of it, where its id is used again and again."""

from datetime import UTC, datetime, timedelta

import pytest

import connectors
import memory
from activities.steps import FinishInput
from connectors.fakes import InMemoryAnalytics
from domain.event import EventData, new_event
from domain.events import TicketClosed, TicketHandedOver
from domain.runs import Run, RunStarted
from models import LocalModel
from models.embedding import HashingEmbedder
from staff import Outside, staff
from tests.workflow import sample

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
RUN = f"support/{sample.TICKET}"


class Record:
    """One ticket's runs, in memory."""

    def __init__(self) -> None:
        self.kept = memory.in_memory(embedder=HashingEmbedder())
        model = LocalModel(HashingEmbedder())
        outside = Outside(connectors=connectors.in_memory(), analytics=InMemoryAnalytics({}), model=model, intents=model)
        self.staff = staff(self.kept, outside)

    async def tell(self, *events: EventData, at: datetime = NOW) -> None:
        head = (await self.kept.log.head()).seq
        await self.kept.log.append([new_event(e, at=at, key=(str(head), str(n)), correlation_id=RUN) for n, e in enumerate(events)])

    async def began(self, at: datetime = NOW) -> None:
        await self.tell(RunStarted(run_id=RUN, workflow="support", at=at), at=at)

    async def ended(self, at: datetime) -> None:
        await self.staff.run.finish_run(FinishInput(run_id=RUN, status="done", result="", now=at))

    async def outcomes(self) -> dict[str, list[float]]:
        run = await self.kept.state.get(Run, RUN)
        assert run is not None
        return {name: [o.value for o in run.outcomes if o.metric == name] for name in {o.metric for o in run.outcomes}}


@pytest.fixture
async def record() -> Record:
    record = Record()
    await record.tell(*sample.business())
    return record


async def test_a_run_is_judged_by_what_happened_since_it_began(record: Record) -> None:
    """Also where more than a page of the log lies before that."""
    await record.began()
    await record.tell(*[TicketClosed(ticket_id=sample.TICKET, reason="done")] * 1_001)
    later = NOW + timedelta(days=9)
    await record.began(later)
    await record.tell(TicketHandedOver(ticket_id=sample.TICKET, reason="too hard"), at=later)
    await record.ended(later)
    assert await record.outcomes() == {"corrected": [0.0], "unaided": [0.0]}
