"""Notes on customers: on the right one, remembered, and taken back only where they are ours."""

from datetime import UTC, datetime

import memory
from agents.audit.after import after_findings
from agents.auditor import Auditor
from domain.actions import AddNote, ArchiveNote, Receipt
from domain.crm import CustomerNotes
from domain.decisions import Diff, Why
from domain.effects import Effect, EffectStatus
from domain.entities import Customer
from domain.event import EventData, new_event
from domain.events import CustomerListed
from domain.risk import Risk
from models.embedding import HashingEmbedder

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
NOTE = AddNote(customer_id="ada", email="Ada@example.org", text="prefers mornings")
RECEIPT = Receipt(reference="9001", at=NOW)


class Desk:
    def __init__(self) -> None:
        self.kept = memory.in_memory(embedder=HashingEmbedder())

    async def tell(self, *events: EventData) -> None:
        await self.kept.log.append([new_event(e, at=NOW, key=(e.type, str(n))) for n, e in enumerate(events)])

    async def codes(self, action: AddNote | ArchiveNote) -> list[str]:
        auditor = Auditor(state=self.kept.state, policies=self.kept.policies)
        shown = Diff(record=action.stream, record_version="1", before={}, after={"note": "x"})
        verdict = await auditor.before(action=action, diff=shown, why=Why(reason="test"), now=NOW)
        return [f"{f.severity}/{f.code}" for f in verdict.findings]


async def test_a_note_goes_to_the_customer_it_is_about() -> None:
    """What is known of one never lands on another one's record."""
    desk = Desk()
    assert await desk.codes(NOTE) == ["block/unknown-customer"]
    await desk.tell(CustomerListed(customer=Customer(customer_id="ada", name="Ada", email="ada@example.org")))
    assert await desk.codes(NOTE) == []
    assert await desk.codes(NOTE.model_copy(update={"email": "bo@example.org"})) == ["block/wrong-customer"]


async def test_only_a_note_of_ours_is_archived() -> None:
    """By the number that writing it gave."""
    desk = Desk()
    inverse = NOTE.inverse({}, RECEIPT)
    assert isinstance(inverse, ArchiveNote)
    assert await desk.codes(inverse) == ["block/not-our-note"]
    await desk.tell(*NOTE.events(RECEIPT))
    assert await desk.codes(inverse) == []
    await desk.tell(*inverse.events(RECEIPT))
    kept = await desk.kept.state.get(CustomerNotes, "ada")
    assert kept is not None
    assert kept.notes == ()


async def test_what_was_written_is_recorded() -> None:
    """Internal text: nobody but the operator and their people sees it."""
    desk = Desk()
    shown = Diff(record=NOTE.stream, record_version="1", before={}, after={"note": NOTE.text})
    about = {
        "key": "k",
        "run_id": "r",
        "workflow": "propose",
        "step": "s",
        "reserved_at": NOW,
        "updated_at": NOW,
        "connector": "notes",
    }
    effect = Effect(**about, action=NOTE, diff=shown, status=EffectStatus.COMMITTED, receipt=RECEIPT)
    assert [f.code for f in await after_findings(effect, state=desk.kept.state, now=NOW)] == ["post-state-differs"]
    await desk.tell(*NOTE.events(RECEIPT))
    assert await after_findings(effect, state=desk.kept.state, now=NOW) == ()
    assert (NOTE.risk, effect.inverse()) == (Risk.R0, ArchiveNote(customer_id="ada", note_id="9001"))
