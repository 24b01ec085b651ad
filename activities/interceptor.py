"""What every activity gets: a heartbeat, typed errors for Temporal, and a log line that names the run."""

import asyncio
from contextlib import suppress
from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.stuck import StuckSteps
from domain.errors import Retryable, StewardError

HEARTBEAT_SECONDS = 1.0


class StewardInterceptor(Interceptor):
    """A dead worker is noticed by its missing heartbeat, not by the step's whole timeout."""

    def __init__(self, stuck: StuckSteps) -> None:
        self._stuck = stuck

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        return _Inbound(next, self._stuck)


class _Inbound(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, stuck: StuckSteps) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._stuck = stuck

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        info = activity.info()
        log = structlog.get_logger().bind(step=info.activity_type, run=info.workflow_id, attempt=info.attempt)
        beating = asyncio.create_task(_beat())
        try:
            result = await self.next.execute_activity(input)
        except StewardError as error:
            log.warning("step failed", error=str(error), kind=type(error).__name__)
            raise _for_temporal(error) from error
        except Exception as error:
            log.exception("step broke")
            await self._stuck.broke(error)
            raise
        else:
            await self._stuck.went_through()
            return result
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_SECONDS)


def _for_temporal(error: StewardError) -> ApplicationError:
    """Of the errors we know only Retryable is worth repeating; everything else says the same thing again."""
    if isinstance(error, Retryable):
        return ApplicationError(str(error), type="Retryable", next_retry_delay=error.retry_after)
    return ApplicationError(str(error), type=type(error).__name__, non_retryable=True)
