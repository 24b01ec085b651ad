"""What the record says goes on, held against Temporal."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from domain.approvals import Approval, ApprovalRequested, ApprovalStatus
from domain.decisions import Mode
from domain.runs import Run, RunStarted
from tests.workflow import sample
from tests.workflow.conftest import World
from tests.workflow.test_support_triage import SHIPPED, WHERE, Desk
from workflows.reconciling import GONE, Reconciled, Reconciler


def reconciler(world: World, client: Client | None = None) -> Reconciler:
    kept = world.kept
    return Reconciler(client=client or world.client, log=kept.log, state=kept.state, clock=lambda: datetime.now(UTC))


async def asked(world: World) -> Approval:
    """The question of a run that answers a ticket."""
    desk = Desk(world)
    await desk.open(sample.order(**SHIPPED), mode=Mode.ASK)
    return await world.pending((await desk.mail(WHERE)).id)


async def status(world: World, approval: Approval) -> ApprovalStatus:
    found = await world.kept.state.get(Approval, approval.approval_id)
    assert found is not None
    return found.status


async def test_what_a_terminated_run_left_is_cleared_and_its_ticket_answered(world: World) -> None:
    """Its question can never be answered: the mail comes to a new run, which asks anew; the second look finds nothing."""
    first = await asked(world)
    run_id = first.proposal.run_id
    await world.client.get_workflow_handle(run_id).terminate("lost")
    with world.env.with_time_skipping_disabled():
        done = await reconciler(world).reconcile()
    assert done == Reconciled(approvals=(first.approval_id,), runs=(run_id,), tickets=(run_id.removeprefix("support/"),))
    second = await world.pending(run_id)
    assert second.approval_id != first.approval_id
    assert await status(world, first) is ApprovalStatus.WITHDRAWN
    assert await reconciler(world).reconcile() == Reconciled()


async def test_a_run_that_temporal_never_heard_of_is_ended(world: World) -> None:
    """Its database was lost; the record says how it ended."""
    first = await asked(world)
    lost = first.proposal.model_copy(update={"run_id": "propose/lost"})
    await world.record(ApprovalRequested(approval=first.model_copy(update={"approval_id": "lost", "proposal": lost})))
    await world.record(RunStarted(run_id="propose/lost", workflow="propose", at=datetime.now(UTC)))
    assert await reconciler(world).reconcile() == Reconciled(approvals=("lost",), runs=("propose/lost",))
    run = await world.kept.state.get(Run, "propose/lost")
    assert run is not None
    assert (run.status, run.result) == ("failed", GONE)
    assert await status(world, first) is ApprovalStatus.PENDING


async def test_a_question_that_an_earlier_run_of_the_same_name_left_is_withdrawn(world: World) -> None:
    """The run that goes on does not wait for it; what it does wait for is left alone."""
    first = await asked(world)
    leftover = first.model_copy(update={"approval_id": str(uuid4())})
    await world.record(ApprovalRequested(approval=leftover))
    assert await reconciler(world).reconcile() == Reconciled(approvals=(leftover.approval_id,))
    assert await status(world, first) is ApprovalStatus.PENDING


async def test_nothing_is_taken_for_gone_while_temporal_does_not_answer(world: World) -> None:
    """An outage, or a namespace that is not ours, says nothing about a run."""
    first = await asked(world)
    elsewhere = await Client.connect(
        world.client.service_client.config.target_host, namespace="nowhere", data_converter=pydantic_data_converter
    )
    with pytest.raises(RPCError):
        await reconciler(world, elsewhere).reconcile()
    assert await status(world, first) is ApprovalStatus.PENDING
