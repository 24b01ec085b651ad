"""Schedules: created once, left alone where the operator changed or paused them."""

from datetime import timedelta
from typing import Any

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from workflows import options
from workflows.digest import DigestStart, DigestWorkflow
from workflows.learning_cycle import LearningCycleWorkflow, LearnStart
from workflows.memory_upkeep import MemoryUpkeepWorkflow, UpkeepStart
from workflows.search_attributes import KIND
from workflows.seo_content import ContentPlanInput, PlanContentWorkflow
from workflows.stock_replenishment import ReplenishInput, StockReplenishmentWorkflow


async def ensure_schedules(client: Client, *, timezone: str) -> list[str]:
    """Create the missing ones; hours are in ``timezone``. Returns the ids of those created."""
    created = []
    for schedule_id, schedule in _schedules(timezone).items():
        try:
            await client.create_schedule(schedule_id, schedule)
        except ScheduleAlreadyRunningError:
            continue
        created.append(schedule_id)
    return created


def _schedules(timezone: str) -> dict[str, Schedule]:
    """A replenishment run follows its deliveries for days, so the next day's must not wait for it; the others skip an overlap."""
    follow, skip = ScheduleOverlapPolicy.ALLOW_ALL, ScheduleOverlapPolicy.SKIP
    return {
        "replenish-daily": _daily(StockReplenishmentWorkflow.run, ReplenishInput(), "replenish", 6, follow, timezone),
        "content-daily": _daily(PlanContentWorkflow.run, ContentPlanInput(), "content-plan", 5, skip, timezone),
        "memory-daily": _daily(MemoryUpkeepWorkflow.run, UpkeepStart(), "memory", 3, skip, timezone),
        "learn-daily": _daily(LearningCycleWorkflow.run, LearnStart(), "learn", 2, skip, timezone),
        "digest-daily": _daily(DigestWorkflow.run, DigestStart(), "digest", 7, skip, timezone),
    }


def _daily(run: Any, start: Any, kind: str, hour: int, overlap: ScheduleOverlapPolicy, timezone: str) -> Schedule:
    """Once a day; a laptop that slept through the hour catches up within twelve."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            run,
            start,
            id=f"{kind}/scheduled",
            task_queue=options.ORCHESTRATION,
            task_timeout=options.TASK,
            static_summary=f"daily {kind}",
            typed_search_attributes=TypedSearchAttributes([SearchAttributePair(KIND, kind)]),
        ),
        spec=ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(hour)])], time_zone_name=timezone),
        policy=SchedulePolicy(overlap=overlap, catchup_window=timedelta(hours=12)),
    )
