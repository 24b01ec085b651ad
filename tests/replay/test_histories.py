"""Runs that are under way go on with today's code: histories of real runs replay without a difference."""

from pathlib import Path

import pydantic
import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

import worker
from domain.errors import DomainError
from tests.replay.changed import ForgetsToOpenItsRecord
from tests.replay.record import HISTORIES

RECORDED = sorted(HISTORIES.glob("*.json"))


def replayer(*workflows: type) -> Replayer:
    return Replayer(
        workflows=workflows,
        data_converter=pydantic_data_converter,
        workflow_runner=worker.sandbox(),
        workflow_failure_exception_types=[pydantic.ValidationError, DomainError],
    )


def history(recorded: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(recorded.stem, recorded.read_text())


def type_of(recorded: Path) -> str:
    return history(recorded).events[0].workflow_execution_started_event_attributes.workflow_type.name


def test_every_workflow_has_a_history() -> None:
    """A new workflow is recorded with ``python -m tests.replay.record``."""
    assert {type_of(recorded) for recorded in RECORDED} == {workflow.__name__ for workflow in worker.WORKFLOWS}


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda path: path.stem)
async def test_a_recorded_run_replays(recorded: Path) -> None:
    """Today's code asks for the same commands in the same order."""
    await replayer(*worker.WORKFLOWS).replay_workflow(history(recorded))


async def test_a_changed_workflow_does_not_replay() -> None:
    """A step left out, as anything that changes the commands, is noticed."""
    with pytest.raises(NondeterminismError):
        await replayer(ForgetsToOpenItsRecord).replay_workflow(history(HISTORIES / "support-support.json"))
