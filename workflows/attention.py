"""The operator's attention on one day: ``attention/<date>``."""

from datetime import UTC, datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.attention import Attended, AttendInput, AttentionActivities
    from activities.notifying import NotifyActivities, NotifyInput
    from domain.model import Name, Value
    from workflows import options
    from workflows.undelivered import admit_undelivered


class AttentionInput(Value):
    """``day`` as ISO date (UTC). What comes within ``gather_seconds`` is told together."""

    day: Name
    gather_seconds: float = 60.0


class SomethingWaits(Value):
    event_id: Name


@workflow.defn
class AttentionWorkflow:
    """Looks at what waits whenever something new does, and once more when its day or the quiet hours end.

    Everything it knows is in the log. The budget is that of the operator's own date, whatever day the run has its name from.
    """

    @workflow.init
    def __init__(self, start: AttentionInput) -> None:
        self.ends_at = datetime.fromisoformat(start.day).replace(tzinfo=UTC) + timedelta(days=1)
        self.called = True

    @workflow.run
    async def run(self, start: AttentionInput) -> str:
        while True:
            await workflow.sleep(start.gather_seconds, summary="gather what comes together")
            self.called = False
            attended = await self._attend()
            await self._tell(attended)
            again_at = attended.look_again_at or self.ends_at
            if not self.called and again_at <= workflow.now():
                return attended.text
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(start)
            await self._rest(again_at)

    @workflow.signal
    def something_waits(self, what: SomethingWaits) -> None:
        """A question was asked or repeated, or an alert was raised."""
        self.called = True

    async def _attend(self) -> Attended:
        request = AttendInput(run_id=workflow.info().workflow_id, now=workflow.now())
        attended = await workflow.execute_activity_method(
            AttentionActivities.attend, request, summary="choose what is worth an interrupt", **options.RECORD
        )
        workflow.set_current_details(attended.text)
        return attended

    async def _tell(self, attended: Attended) -> None:
        """Send what was chosen. What does not get through is an alert, and holds up nothing."""
        if not attended.told:
            return
        request = NotifyInput(day=attended.day, told=attended.told, now=workflow.now())
        try:
            await workflow.execute_activity_method(NotifyActivities.notify, request, summary="tell the operator", **options.NOTIFY)
        except ActivityError as error:
            await admit_undelivered(error)

    async def _rest(self, until: datetime) -> None:
        patience = max(until - workflow.now(), timedelta(0))
        try:
            await workflow.wait_condition(lambda: self.called, timeout=patience, timeout_summary="until something waits")
        except TimeoutError:
            return
