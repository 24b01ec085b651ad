"""When a run wakes by itself: the timers of its history that are still running."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client

_PAGE = 50  # events; between two looks at a run there are rarely more


@dataclass(frozen=True)
class Timers:
    """Of one execution, as of the event ``seen``; ``due`` is by timer, in the run's own time.

    ``begun`` says that it had its first task: one that starts later has none before.
    """

    execution: str = ""
    seen: int = 0
    due: Mapping[str, datetime] = field(default_factory=dict)
    begun: bool = False

    @property
    def next(self) -> datetime | None:
        """The first moment at which a timer fires; None where nothing but a message wakes the run."""
        return min(self.due.values(), default=None)

    def after(self, events: Iterable[HistoryEvent]) -> "Timers":
        """With what happened since, in the order of the history."""
        due, seen, begun = dict(self.due), self.seen, self.begun
        for event in events:
            seen = event.event_id
            match event.event_type:
                case EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
                    begun = True
                case EventType.EVENT_TYPE_TIMER_STARTED:
                    started = event.timer_started_event_attributes
                    began = event.event_time.ToDatetime(tzinfo=UTC)
                    due[started.timer_id] = began + started.start_to_fire_timeout.ToTimedelta()
                case EventType.EVENT_TYPE_TIMER_FIRED:
                    due.pop(event.timer_fired_event_attributes.timer_id, None)
                case EventType.EVENT_TYPE_TIMER_CANCELED:
                    due.pop(event.timer_canceled_event_attributes.timer_id, None)
        return Timers(self.execution, seen, due, begun)


async def timers_of(client: Client, run: str, execution: str, known: Timers) -> Timers:
    """The timers of an execution of ``run`` now, read from its history back to what is ``known`` of it."""
    before = known if known.execution == execution else Timers(execution)
    request = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace,
        execution=WorkflowExecution(workflow_id=run, run_id=execution),
        maximum_page_size=_PAGE,
    )
    fresh: list[HistoryEvent] = []
    while True:
        page = await client.workflow_service.get_workflow_execution_history_reverse(request)
        found = [event for event in page.history.events if event.event_id > before.seen]
        fresh += found
        if len(found) < len(page.history.events) or not page.next_page_token:
            return before.after(reversed(fresh))
        request.next_page_token = page.next_page_token
