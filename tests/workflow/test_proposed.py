"""What programs propose: one typed action a run, asked whatever the mode, and audited like every other."""

from uuid import uuid4

import pytest

from domain.actions import Action, CancelOrder, SendReply
from domain.approvals import Approval, ApprovalStatus, Verb
from domain.decisions import Mode
from domain.errors import InvalidInput
from domain.runs import Alert
from tests.workflow import sample
from tests.workflow.conftest import World
from tests.workflow.test_governed_action import furnish, status_outside
from tests.workflow.waiting import until
from workflows.proposed import ProposedInput

CANCEL = CancelOrder(order_id="1001", reason="the customer rang")


@pytest.fixture
def max_cached_workflows() -> int:
    """That the run replays is shown by its recorded history."""
    return 500


async def propose(world: World, action: Action = CANCEL, *, reason: str = "they rang", name: str = "") -> str:
    """The tests share a server: without a name it is a new one."""
    with world.env.with_time_skipping_disabled():
        proposed = ProposedInput(action=action, by="phone-desk", reason=reason, ticket_id=sample.TICKET)
        return await world.gateway.propose(name or uuid4().hex, proposed)


async def result(world: World, run_id: str) -> str:
    return str(await world.client.get_workflow_handle(run_id, result_type=str).result())


async def test_the_operator_is_asked_even_where_the_mode_is_auto(world: World) -> None:
    """The question says who proposes it; silence is a no; approved, it is done once."""
    shop = await furnish(world)
    await world.mode("propose", Mode.AUTO)
    run_id = await propose(world)
    approval = await world.pending(run_id)
    assert approval.proposal.gate.reasons == ("phone-desk proposes it",)
    assert (approval.on_expiry, approval.proposal.why.reason) == ("reject", "they rang")
    await world.decide(approval)
    assert await result(world, run_id) == "committed: cancel order 1001 (the customer rang)"
    assert (await status_outside(shop), shop.executed) == ("cancelled", 1)


async def test_a_rejected_proposal_says_why(world: World) -> None:
    """The reason is the run's result, for the program to read."""
    await furnish(world)
    run_id = await propose(world)
    await world.decide(await world.pending(run_id), Verb.REJECT, reason="they changed their mind")
    assert await result(world, run_id) == "rejected: they changed their mind"


async def test_of_two_cancellations_of_one_order_the_second_says_that_it_is_cancelled_already(world: World) -> None:
    """Both were approved: the operator is told that one was not done, in plain words."""
    await furnish(world)
    one, two = await propose(world), await propose(world)
    asked = [await world.pending(run_id) for run_id in (one, two)]
    for approval in asked:
        await world.decide(approval)
    ends = sorted([await result(world, run_id) for run_id in (one, two)])
    assert ends == ["committed: cancel order 1001 (the customer rang)", "failed: order 1001 is cancelled already"]
    (alert,) = await world.kept.state.find(Alert)
    assert alert.text == "it was not done: cancel order 1001 (the customer rang): order 1001 is cancelled already"


async def test_the_auditor_looks_at_the_recipient(world: World) -> None:
    """A reply to somebody who did not write is refused before anybody is asked."""
    await furnish(world)
    words = {"ticket_id": sample.TICKET, "message_id": "x@clay.example", "sender": "hello@clay.example", "subject": "Hi"}
    run_id = await propose(world, SendReply(**words, to="mallory@evil.example", body="Hello"))
    assert "the reply goes to mallory@evil.example" in await result(world, run_id)
    assert not await world.kept.state.find(Approval)


async def test_a_proposal_repeated_is_one_question(world: World) -> None:
    """The same id with other content is refused."""
    await furnish(world)
    name = uuid4().hex
    first, again = await propose(world, name=name), await propose(world, name=name)
    assert first == again == f"propose/{name}"
    with pytest.raises(InvalidInput, match="other content"):
        await propose(world, reason="something else", name=name)
    await world.decide(await world.pending(first))
    await until(lambda: result(world, first))
    assert await propose(world, name=name) == first
    assert len(await world.kept.state.find(Approval, status=ApprovalStatus.APPROVED)) == 1
