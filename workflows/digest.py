"""The morning page: ``digest/<date>``."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.digest import DigestActivities
    from activities.steps import DigestInput, DigestText
    from domain.model import Name, Value
    from workflows import options


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
            DigestActivities.write_digest, request, summary="write the digest", **options.RECORD
        )
        workflow.set_current_details(digest.text)
        return digest.text
