"""Held approvals: for a few seconds nothing happens, so that a yes can be taken back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHandle

from connectors.fakes import InMemoryShop
from domain.approvals import Approval, ApprovalStatus, Verb
from domain.autonomy import ClassRecord
from domain.entities import OrderStatus
from domain.errors import DecisionRefused
from domain.policies import ApprovalPolicy, PolicyActivated, PolicyVersion
from tests.workflow import sample
from tests.workflow.conftest import World, wish
from tests.workflow.probe import ProbeWorkflow
from tests.workflow.test_governed_action import approval_of, furnish

HOLD = 10
OVER = timedelta(seconds=HOLD + 1)
Asked = tuple[InMemoryShop, WorkflowHandle[Any, str], Approval]


async def held(world: World, verb: Verb = Verb.APPROVE, **given: Any) -> Asked:
    """A question that was just answered, to be held."""
    shop = await furnish(world, sample.order(status=OrderStatus.DELIVERED, delivered_at=sample.PLACED))
    run = await world.probe(sample.refund(15))
    approval = await world.pending(run.id)
    decided = await world.decider().decide(wish(approval, verb, hold_seconds=HOLD, **given))
    assert decided.held_until is not None
    return shop, run, await approval_of(world, approval.approval_id)


async def test_a_held_approval_is_done_when_its_time_is_over(world: World) -> None:
    """Until then it is decided, says so, and nothing has begun; what it teaches is counted once it stands."""
    shop, run, approval = await held(world)
    assert (approval.status, approval.is_held(datetime.now(UTC)), shop.executed) == (ApprovalStatus.APPROVED, True, 0)
    assert await run.query(ProbeWorkflow.waiting) == []
    assert await world.kept.state.find(ClassRecord) == []
    await world.env.fast_forward(run, OVER)
    assert await run.result() == "committed"
    assert [r.approved for r in await world.kept.state.find(ClassRecord)] == [1]


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.EDIT])
async def test_what_is_taken_back_waits_again_and_has_taught_nothing(world: World, verb: Verb) -> None:
    """The same question, undecided, at which a rejection counts; undoing twice is undoing once."""
    edited = sample.refund(12).action.model_dump(mode="json") if verb is Verb.EDIT else None
    shop, run, approval = await held(world, verb, edited=edited)
    back = wish(approval, Verb.UNDO)
    assert [(await world.decider().decide(back)).said for _ in range(2)] == ["recorded: undo", "already recorded: undo"]
    again = await approval_of(world, approval.approval_id)
    assert (again.status, again.decision, again.held_until) == (ApprovalStatus.PENDING, None, None)
    assert len(await run.query(ProbeWorkflow.waiting)) == 1
    await world.env.fast_forward(run, OVER)
    assert shop.executed == 0
    await world.decider().decide(wish(approval, Verb.REJECT, reason="she keeps it"))
    assert await run.result() == "rejected"
    assert [(r.approved, r.corrected) for r in await world.kept.state.find(ClassRecord)] == [(0, 1)]


async def test_an_approval_that_was_taken_back_is_not_revived_by_a_late_repeat(world: World) -> None:
    """The browser sends the approval again after the undo: it counted once, and does not any more."""
    shop = await furnish(world)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    yes = wish(approval, hold_seconds=HOLD)
    await world.decider().decide(yes)
    await world.decider().decide(wish(approval, Verb.UNDO))
    await world.decider().decide(yes)
    await world.gateway.decide(approval, _raw(yes), now=datetime.now(UTC))
    await world.env.fast_forward(run, OVER)
    assert (await approval_of(world, approval.approval_id)).status is ApprovalStatus.PENDING
    assert shop.executed == 0
    await world.decide(approval)
    assert await run.result() == "committed"


async def test_it_is_not_taken_back_too_late_nor_where_nothing_is_held(world: World) -> None:
    """Each time the refusal says why."""
    shop = await furnish(world)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    with pytest.raises(DecisionRefused, match="nothing to take back"):
        await world.decider().decide(wish(approval, Verb.UNDO))
    await world.decider().decide(wish(approval, hold_seconds=HOLD))
    with pytest.raises(DecisionRefused, match="already approved"):
        await world.decider().decide(wish(approval, Verb.REJECT, reason="no"))
    await world.env.fast_forward(run, OVER)
    assert await run.result() == "committed"
    with pytest.raises(DecisionRefused, match="too late"):
        await world.decider(after=OVER).decide(wish(approval, Verb.UNDO))
    assert shop.executed == 1


async def test_a_cancelled_run_does_not_do_what_was_held(world: World) -> None:
    """The approval is withdrawn with its run."""
    shop, run, approval = await held(world)
    await run.cancel()
    with pytest.raises(WorkflowFailureError):
        await run.result()
    assert (await approval_of(world, approval.approval_id)).status is ApprovalStatus.WITHDRAWN
    assert shop.executed == 0


async def test_a_question_that_expires_while_it_is_held_was_decided(world: World) -> None:
    """Its time runs out in the last second of the hold: the decision stands."""
    await expiring_after(world, hours=8 / 3600)
    shop, run, _ = await held(world)
    await world.env.fast_forward(run, OVER)
    assert await run.result() == "committed"
    assert shop.executed == 1


async def test_silence_after_an_undo_is_no_yes(world: World) -> None:
    """Whatever silence means for its kind: who took it back did not say yes."""
    await expiring_after(world, hours=1, on_expiry={"cancel-order": "reject", "send-reply": "approve"})
    await furnish(world)
    run = await world.probe(sample.reply("We look into it and write again."))
    approval = await world.pending(run.id)
    assert approval.on_expiry == "approve"
    await world.decider().decide(wish(approval, hold_seconds=HOLD))
    await world.decider().decide(wish(approval, Verb.UNDO))
    await world.env.fast_forward(run, timedelta(hours=2))
    assert await run.result() == "expired"


async def expiring_after(world: World, *, hours: float, **more: Any) -> None:
    document = ApprovalPolicy(expire_after_hours=hours, **more).model_dump(mode="json")
    version = PolicyVersion(version=1, document=document, proposed_by="operator", approved_by="operator", at=datetime.now(UTC))
    await world.record(PolicyActivated(name="approval", version=version))


def _raw(asked: Any) -> Any:
    from domain.approvals import Decision

    return Decision(**asked.model_dump(exclude={"edited"}))
