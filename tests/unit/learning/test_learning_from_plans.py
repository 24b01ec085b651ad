"""From the real planner's plans to failures and candidates: the words it really uses are the words that are read."""

from typing import Any

import pytest

from domain.actions import SendReply
from domain.approvals import Approval, ApprovalStatus
from domain.decisions import Planned
from domain.entities import Order, Product, Ticket
from domain.knowledge import InForce
from domain.playbooks import DEFAULT_PLAYBOOKS
from domain.policies import SupportPolicy
from learning.candidates.playbooks import playbook_candidates
from learning.failures import find
from learning.observed import Observed
from learning.wording import filled_from, text_of
from tests.unit.learning.happened import approval
from tests.unit.support.floor import ADA, MUG, VASE, delivered, order, shipped
from tests.unit.support.test_planner import ask

ON_ITS_WAY = order("1001", ADA, MUG, days_ago=4, **shipped(2))
BOTH = order("1001", ADA, MUG, VASE, days_ago=9, **delivered(3))


def decided(planned: Planned, status: ApprovalStatus, *, number: int = 1, edited: SendReply | None = None) -> Approval:
    why = planned.why.model_dump(exclude={"reason", "facts"})
    asked = approval(planned.action, status, number=number, reason=planned.why.reason, edited=edited, said="my words", **why)
    proposal = asked.proposal.model_copy(update={"why": planned.why, "step": planned.step})
    return asked.model_copy(update={"proposal": proposal})


HANDED_OVER = [
    ("complaint", "this is a shame", (), {}, "always by a person: complaint"),
    ("product-question", "is it nice?", (), {}, "unknown product"),
    ("late", "wo ist mein Paket?", (ON_ITS_WAY,), {"language": "de"}, "another language: de"),
    ("late", "hm", (ON_ITS_WAY,), {"confidence": 0.5}, "unclear intent: late"),
    ("gift-wrap", "wrap it please", (ON_ITS_WAY,), {}, "no playbook: gift-wrap"),
]


@pytest.mark.parametrize(("intent", "body", "orders", "more", "mode"), HANDED_OVER)
async def test_each_hand_over_of_the_planner_is_explained(
    intent: str, body: str, orders: tuple[Order, ...], more: dict[str, Any], mode: str
) -> None:
    """No reason of its own falls through to the classifier."""
    _, handled = await ask(intent, body, *orders, **more)
    (failure,) = find(Observed(since=None, approvals=(decided(handled.plan.planned[-1], ApprovalStatus.REJECTED),)))
    assert (failure.mode, failure.confidence) == (mode, 1.0)


async def test_a_question_that_the_catalogue_does_not_answer_names_the_fact() -> None:
    """The product is the one that the customer names, the attribute one that other products have."""
    floor, handled = await ask("product-question", "how do I wash the tall glass vase?")
    seen = Observed(
        since=None,
        approvals=(decided(handled.plan.planned[-1], ApprovalStatus.REJECTED),),
        products=await floor.memory.state.find(Product),
        tickets=await floor.memory.state.find(Ticket),
    )
    (failure,) = find(seen)
    assert (failure.mode, failure.ref) == ("missing fact: care", "product/VASE-2#care")


@pytest.mark.parametrize(
    ("intent", "body", "of", "situation"),
    [
        ("late", "where is it?", ON_ITS_WAY, "shipped"),
        ("return", "can I send the mug back?", BOTH, "in-window"),
        ("damaged", "something is broken", BOTH, "which-item"),
        ("invoice", "I need an invoice", BOTH, "invoice"),
    ],
)
async def test_a_real_letter_is_recognised_as_made_from_its_template(intent: str, body: str, of: Order, situation: str) -> None:
    """Greeting and signature off, every field gets back its fact."""
    _, handled = await ask(intent, body, of)
    letter = handled.plan.planned[-1].action
    assert isinstance(letter, SendReply)
    filled = filled_from(DEFAULT_PLAYBOOKS[intent].reply(situation), text_of(letter))
    assert filled is not None
    assert set(filled.values.values()) <= set(letter.facts.values())


async def test_edits_of_real_letters_become_a_template() -> None:
    """Three customers, the same words."""
    asked = []
    for number in range(3):
        _, handled = await ask("late", "where is it?", order(f"100{number}", ADA, MUG, days_ago=4, **shipped(2)))
        planned = handled.plan.planned[-1]
        assert isinstance(planned.action, SendReply)
        action = planned.action.model_copy(update={"ticket_id": f"t-{number}"})
        edited = action.model_copy(update={"body": action.body.replace("Thank you for your message.", "Thanks for writing.")})
        mine = planned.model_copy(update={"action": action})
        asked.append(decided(mine, ApprovalStatus.EDITED, number=number, edited=edited))
    (candidate,) = playbook_candidates(asked, InForce("support", 0, SupportPolicy()))
    text = candidate.document["playbooks"]["late"]["situations"]["shipped"]
    assert text.startswith("Thanks for writing. Order {order_id} left us on {shipped_on}")
