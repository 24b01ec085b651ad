"""The morning page: ``digest/<date>``."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.digest import DigestActivities
    from activities.notifying import NotifyActivities
    from activities.steps import DigestInput, DigestText
    from domain.model import Name, Value
    from workflows import options
    from workflows.undelivered import admit_undelivered


class DigestStart(Value):
    """``day`` as ISO date; empty means the day on which the run starts (UTC)."""

    day: Name | None = None


@workflow.defn
class DigestWorkflow:
    """What needs you, what happened, what was learned, what is used of the bounds."""

    @workflow.run
    async def run(self, start: DigestStart) -> str:
        day = start.day or workflow.now().date().isoformat()
        request = DigestInput(day=day, now=workflow.now())
        digest: DigestText = await workflow.execute_activity_method(
            DigestActivities.write_digest, request, summary="write the digest", **options.KEEP
        )
        workflow.set_current_details(digest.text)
        if workflow.patched("send-the-digest"):
            await self._send(request)
        return digest.text

    async def _send(self, request: DigestInput) -> None:
        try:
            await workflow.execute_activity_method(
                NotifyActivities.send_digest, request, summary="send it to the operator", **options.NOTIFY
            )
        except ActivityError as error:
            await admit_undelivered(error)
