"""Schedules: made, and kept as this code has them; one whose times the operator changed is left alone, a paused one rests on."""

from dataclasses import asdict, replace
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
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from domain.ids import digest
from workflows import options
from workflows.digest import DigestStart, DigestWorkflow
from workflows.learning_cycle import LearningCycleWorkflow, LearnStart
from workflows.memory_upkeep import MemoryUpkeepWorkflow, UpkeepStart
from workflows.search_attributes import KIND
from workflows.seo_content import ContentPlanInput, PlanContentWorkflow
from workflows.stock_replenishment import ReplenishInput, StockReplenishmentWorkflow

_MADE = "made-by-steward"
"""The memo of what a schedule starts: the mark of the times as they were written here."""


async def ensure_schedules(client: Client, *, timezone: str) -> list[str]:
    """Create the missing ones, and bring the others to ``timezone`` and to this code. Returns the ids of those created."""
    created = []
    for schedule_id, schedule in _schedules(timezone).items():
        try:
            await client.create_schedule(schedule_id, schedule)
        except ScheduleAlreadyRunningError:
            await _renew(client, schedule_id, schedule)
            continue
        created.append(schedule_id)
    return created


async def _renew(client: Client, schedule_id: str, ours: Schedule) -> None:
    """Where it is as it was written here. Whether it is paused, and the note on it, are the operator's."""

    async def update(found: ScheduleUpdateInput) -> ScheduleUpdate | None:
        there = found.description.schedule
        if _mark(there.spec, there.policy) == _mark(ours.spec, ours.policy) or not await _as_made(client, there, ours):
            return None
        return ScheduleUpdate(schedule=replace(ours, state=there.state))

    await client.get_schedule_handle(schedule_id).update(update)


async def _as_made(client: Client, there: Schedule, ours: Schedule) -> bool:
    """One from before there were marks counts where nothing but its zone differs."""
    memo = there.action.memo if isinstance(there.action, ScheduleActionStartWorkflow) else None
    if memo and _MADE in memo:
        (mark,) = await client.data_converter.decode([memo[_MADE]])
        return bool(mark == _mark(there.spec, there.policy))
    return _mark(replace(there.spec, time_zone_name=ours.spec.time_zone_name), there.policy) == _mark(ours.spec, ours.policy)


def _mark(spec: ScheduleSpec, policy: SchedulePolicy) -> str:
    """Of everything that says when it runs."""
    times = [asdict(calendar) for calendar in (*spec.calendars, *spec.skip)]
    other = [str(part) for part in (*spec.intervals, *spec.cron_expressions, spec.time_zone_name, policy.catchup_window)]
    return digest([times, other, policy.overlap.name])


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
    spec = ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(hour)])], time_zone_name=timezone)
    policy = SchedulePolicy(overlap=overlap, catchup_window=timedelta(hours=12))
    return Schedule(
        action=ScheduleActionStartWorkflow(
            run,
            start,
            id=f"{kind}/scheduled",
            task_queue=options.ORCHESTRATION,
            task_timeout=options.TASK,
            static_summary=f"daily {kind}",
            memo={_MADE: _mark(spec, policy)},
            typed_search_attributes=TypedSearchAttributes([SearchAttributePair(KIND, kind)]),
        ),
        spec=spec,
        policy=policy,
    )
