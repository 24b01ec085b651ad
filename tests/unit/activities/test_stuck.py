"""A step that breaks for a reason nobody foresaw."""

import dataclasses
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

import memory
from activities.interceptor import StewardInterceptor
from activities.stuck import StuckSteps
from domain.errors import Permanent
from domain.runs import Alert
from models.embedding import HashingEmbedder

KEY = "stuck/rollout/support/2/judge_rollout"


class Step(ActivityInboundInterceptor):
    """Ends as it is told."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        if self._error:
            raise self._error
        return "done"


class Broken:
    """A log that takes nothing."""

    async def append(self, *_: Any, **__: Any) -> None:
        raise ConnectionError("the database is gone")


async def attempt(kept: memory.Memory, number: int, error: Exception | None, *, log: Any = None) -> Any:
    stuck = StuckSteps(log=log or kept.log, state=kept.state)
    step = StewardInterceptor(stuck).intercept_activity(Step(error))
    env = ActivityEnvironment()
    env.info = dataclasses.replace(env.info, attempt=number, activity_type="judge_rollout", workflow_id="rollout/support/2")
    return await env.run(step.execute_activity, ExecuteActivityInput(fn=len, args=(), executor=None, headers={}))


async def alerts(kept: memory.Memory) -> list[tuple[str, int, bool]]:
    return [(a.key, a.times, a.open) for a in await kept.state.find(Alert)]


@pytest.fixture
def kept() -> memory.Memory:
    return memory.in_memory(embedder=HashingEmbedder())


async def test_the_operator_is_told_once_from_the_fifth_attempt_on(kept: memory.Memory) -> None:
    """The error goes on to Temporal as it is, which tries again."""
    for number in range(1, 8):
        with pytest.raises(KeyError):
            await attempt(kept, number, KeyError(f"corrected-{number}"))
        assert await alerts(kept) == ([(KEY, 1, True)] if number >= 5 else [])


async def test_a_step_that_goes_through_at_last_closes_the_alert(kept: memory.Memory) -> None:
    """Nobody has to."""
    with pytest.raises(KeyError):
        await attempt(kept, 5, KeyError("corrected"))
    assert await attempt(kept, 6, None) == "done"
    assert await alerts(kept) == [(KEY, 1, False)]


async def test_an_error_we_know_is_no_such_alert(kept: memory.Memory) -> None:
    """It is not repeated, or it is an outage that the run waits out."""
    with pytest.raises(ApplicationError):
        await attempt(kept, 5, Permanent("refused"))
    assert await alerts(kept) == []


async def test_telling_never_hides_what_broke(kept: memory.Memory) -> None:
    """The log is down as well: what breaks the step is what Temporal hears."""
    with pytest.raises(KeyError):
        await attempt(kept, 5, KeyError("corrected"), log=Broken())
