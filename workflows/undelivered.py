"""What a run does when a message to the operator did not get through."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, CancelledError

with workflow.unsafe.imports_passed_through():
    from activities.notifying import NotifyActivities, UndeliveredInput
    from workflows import options


async def admit_undelivered(error: ActivityError) -> None:
    """Raise the alert, and go on. A run that is cancelled goes on up instead."""
    if isinstance(error.cause, CancelledError):
        raise error
    request = UndeliveredInput(services=getattr(error.cause, "message", ""), now=workflow.now())
    await workflow.execute_activity_method(
        NotifyActivities.admit_undelivered, request, summary="it did not get through", **options.RECORD
    )
