"""What happens in the world while a step is being done."""

from collections.abc import Awaitable, Callable
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor


class Meanwhile(Interceptor):
    """Calls, once each, what a test wants to happen between a step's work and the news of it."""

    def __init__(self) -> None:
        self.after: dict[str, Callable[[], Awaitable[Any]]] = {}

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        return _Steps(next, self)


class _Steps(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, meanwhile: Meanwhile) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._meanwhile = meanwhile

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        result = await self.next.execute_activity(input)
        if then := self._meanwhile.after.pop(activity.info().activity_type, None):
            await then()
        return result
