"""Reading one connection for as long as it is on: ``poll/<connection>``."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.polling import PollActivities, Polled, PollInput
    from domain.model import Name, Value
    from workflows import options


class PollStart(Value):
    """``changed`` is carried over by a run that begins anew: see ``PollInput``."""

    connection: Name
    changed: bool = False


class LookNow(Value):
    """``event_id`` names what happened, where something did."""

    event_id: str = ""


@workflow.defn
class PollWorkflow:
    """Reads, rests, reads again. How far it came is in the database, so that it can begin anew at any point."""

    @workflow.init
    def __init__(self, start: PollStart) -> None:
        self.called = False
        self.changed = start.changed

    @workflow.run
    async def run(self, start: PollStart) -> str:
        while True:
            self.called = False
            polled = await self._poll(start)
            if polled.look_again_seconds is None and not self.called:
                return polled.text
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(start.model_copy(update={"changed": self.changed}))
            await self._rest(polled.look_again_seconds or 0.0)

    @workflow.signal
    def look_now(self, what: LookNow) -> None:
        """The connection was changed, or its system told us something."""
        self.called = True
        self.changed = self.changed or bool(what.event_id)

    async def _poll(self, start: PollStart) -> Polled:
        changed, self.changed = self.changed, False
        request = PollInput(connection=start.connection, now=workflow.now(), changed=changed)
        polled: Polled = await workflow.execute_activity_method(
            PollActivities.poll, request, summary=f"read {start.connection}", **options.READ
        )
        workflow.set_current_details(polled.text)
        self.changed = self.changed or (changed and polled.troubled)
        return polled

    async def _rest(self, seconds: float) -> None:
        if self.called:
            return
        try:
            await workflow.wait_condition(
                lambda: self.called, timeout=timedelta(seconds=seconds), timeout_summary="until it is time to read again"
            )
        except TimeoutError:
            return
