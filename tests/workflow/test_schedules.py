"""The times at which runs start by themselves, from one start of Steward to the next."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.testing import TimeSkipper

from workflows.schedules import _MADE, _mark, ensure_schedules

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


@pytest.fixture
async def client(env: TimeSkipper) -> AsyncIterator[Client]:
    """After a first start, in Berlin."""
    created = await ensure_schedules(env.client, timezone=BERLIN)
    assert len(created) == 5
    yield env.client
    for schedule_id in created:
        await env.client.get_schedule_handle(schedule_id).delete()


async def found(client: Client, schedule_id: str = "digest-daily") -> Schedule:
    return (await client.get_schedule_handle(schedule_id).describe()).schedule


async def edit(client: Client, change: dict[str, object], schedule_id: str = "digest-daily") -> None:
    """As the operator does in the Temporal Web UI."""

    def changed(there: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule = there.description.schedule
        return ScheduleUpdate(schedule=replace(schedule, **change))  # type: ignore[arg-type]  # whatever a schedule has

    await client.get_schedule_handle(schedule_id).update(changed)


async def test_a_new_zone_is_taken_at_the_next_start(client: Client) -> None:
    """By every schedule; starting again changes nothing more."""
    for _ in range(2):
        assert await ensure_schedules(client, timezone=NEW_YORK) == []
        schedules = [await found(client, f"{kind}-daily") for kind in ("replenish", "content", "memory", "learn", "digest")]
        assert {schedule.spec.time_zone_name for schedule in schedules} == {NEW_YORK}
        assert [schedule.spec.calendars[0].hour[0].start for schedule in schedules] == [6, 5, 3, 2, 7]


async def test_what_the_operator_paused_rests_on(client: Client) -> None:
    """With the note on it."""
    await client.get_schedule_handle("digest-daily").pause(note="on holiday")
    await ensure_schedules(client, timezone=NEW_YORK)
    schedule = await found(client)
    assert (schedule.spec.time_zone_name, schedule.state.paused, schedule.state.note) == (NEW_YORK, True, "on holiday")


async def test_times_that_the_operator_changed_are_left_alone(client: Client) -> None:
    """Also when only the zone was changed there."""
    there = (await found(client)).spec
    await edit(client, {"spec": replace(there, calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(9)])])})
    await edit(client, {"spec": replace((await found(client, "learn-daily")).spec, time_zone_name="Asia/Tokyo")}, "learn-daily")
    await ensure_schedules(client, timezone=NEW_YORK)
    assert ((await found(client)).spec.calendars[0].hour[0].start, (await found(client)).spec.time_zone_name) == (9, BERLIN)
    assert (await found(client, "learn-daily")).spec.time_zone_name == "Asia/Tokyo"


async def test_what_an_earlier_version_made_is_brought_up_to_date(client: Client) -> None:
    """By its mark where it has one; without, where nothing but the zone differs."""
    later = [ScheduleCalendarSpec(hour=[ScheduleRange(8)])]
    for kind in ("digest", "learn", "content"):
        there = await found(client, f"{kind}-daily")
        spec = there.spec if kind == "digest" else replace(there.spec, calendars=later)
        await edit(client, {"spec": spec, "action": marked(there, spec if kind == "content" else None)}, f"{kind}-daily")
    await ensure_schedules(client, timezone=NEW_YORK)
    specs = [(await found(client, f"{kind}-daily")).spec for kind in ("digest", "learn", "content")]
    assert [(s.time_zone_name, s.calendars[0].hour[0].start) for s in specs] == [(NEW_YORK, 7), (BERLIN, 8), (NEW_YORK, 5)]


def marked(schedule: Schedule, spec: ScheduleSpec | None) -> ScheduleActionStartWorkflow:
    """What it starts, with the mark of ``spec``, or of a time before there were marks."""
    action = schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    action.memo = {_MADE: _mark(spec, schedule.policy)} if spec else None
    return action
