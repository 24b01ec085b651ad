"""The same action, planned again by a later run of the same name."""

from datetime import UTC, datetime, timedelta

import pytest

import connectors
import memory
from activities.steps import DecisionNote, EndNote, ProposeInput
from connectors.fakes import InMemoryAnalytics, InMemoryShop
from domain.actions import Capability, PublishContent
from domain.approvals import Approval, ApprovalStatus, Decision, Verb
from domain.decisions import Mode, Planned, Why
from domain.entities import ContentPiece
from domain.event import new_event
from domain.runs import ActionSuggested, ModeSet, RunStarted
from models import LocalModel
from models.embedding import HashingEmbedder
from staff import Outside, Staff, staff
from tests.workflow import sample

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)


@pytest.fixture
def kept() -> memory.Memory:
    return memory.in_memory(embedder=HashingEmbedder())


async def hired(kept: memory.Memory, mode: Mode) -> Staff:
    """The steps of a shop with one order, whose support works in ``mode``."""
    outside, model = connectors.in_memory(), LocalModel(HashingEmbedder())
    shop = outside[Capability.SHOP]
    assert isinstance(shop, InMemoryShop)
    await shop.put_orders([sample.order()])
    begun = RunStarted(run_id="run", workflow="support", at=NOW)
    events = [*sample.business(sample.order()), ModeSet(scope="support", mode=mode, by="operator"), begun]
    await kept.log.append([new_event(e, at=NOW, key=(e.stream,)) for e in events])
    return staff(kept, Outside(connectors=outside, analytics=InMemoryAnalytics({}), model=model, intents=model))


async def asked(staff: Staff, at: datetime) -> Approval:
    proposed = await staff.action.propose(ProposeInput(run_id="run", workflow="support", planned=sample.cancel(), now=at))
    assert proposed.approval is not None
    await staff.approval.request_approval(proposed.approval)
    return proposed.approval


def rejected(approval: Approval) -> DecisionNote:
    told = Decision(
        decision_id="no",
        approval_id=approval.approval_id,
        verb=Verb.REJECT,
        digest=approval.proposal.digest,
        by="operator",
        reason="not like this",
    )
    return DecisionNote(approval_id=approval.approval_id, decision=told, now=NOW)


async def test_what_was_rejected_is_asked_as_another_question(kept: memory.Memory) -> None:
    """The first answer stands; the second question waits."""
    staff = await hired(kept, Mode.ASK)
    first = await asked(staff, NOW)
    await staff.approval.record_decision(rejected(first))
    second = await asked(staff, LATER)
    assert first.proposal.digest == second.proposal.digest
    found = {a.approval_id: a.status for a in await kept.state.find(Approval)}
    assert found == {first.approval_id: ApprovalStatus.REJECTED, second.approval_id: ApprovalStatus.PENDING}


async def test_an_answer_is_not_withdrawn(kept: memory.Memory) -> None:
    """A run that ends later, however it ends, takes back nothing that the operator said."""
    staff = await hired(kept, Mode.ASK)
    question = await asked(staff, NOW)
    await staff.approval.record_decision(rejected(question))
    await staff.approval.end_approval(EndNote(approval_id=question.approval_id, status="withdrawn", reason="ended", now=LATER))
    (found,) = await kept.state.find(Approval)
    assert (found.status, found.decided_by) == (ApprovalStatus.REJECTED, "operator")


async def test_a_suggestion_is_made_again(kept: memory.Memory) -> None:
    """Two runs, two suggestions in the record."""
    staff = await hired(kept, Mode.SUGGEST)
    for at in (NOW, LATER):
        await staff.action.propose(ProposeInput(run_id="run", workflow="support", planned=sample.cancel(), now=at))
    assert [e.type for e in await kept.log.read(stream="run/run")].count(ActionSuggested.type) == 2


async def test_a_page_with_another_title_is_shown_with_structured_data_that_agrees(kept: memory.Memory) -> None:
    """Whatever door the edit came through, it is proposed once more."""
    staff = await hired(kept, Mode.ASK)
    page = ContentPiece(
        slug="mug",
        kind="buying-guide",
        title="Choosing a mug",
        description="Which one to take.",
        body="# Mugs",
        keyword="mug",
        json_ld={"@context": "https://schema.org", "@graph": [{"@type": "Article", "headline": "Mugs for tea"}]},
    )
    planned = Planned(step="publish", action=PublishContent(piece=page), why=Why(reason="edited"))
    proposed = await staff.action.propose(
        ProposeInput(run_id="run", workflow="content", planned=planned, now=NOW, edited="question")
    )
    assert isinstance(proposed.proposal.action, PublishContent)
    assert proposed.proposal.action.piece.json_ld["@graph"] == [{"@type": "Article", "headline": "Choosing a mug"}]
