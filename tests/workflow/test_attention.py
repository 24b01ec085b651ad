"""The operator's attention on the real server: what comes together is told together, and nothing in quiet hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowHandle

from domain.approvals import ApprovalRequested
from domain.attention import AttentionDay, Sent
from domain.event import EventData
from domain.notifying import UNDELIVERED
from domain.policies import ApprovalPolicy, PolicyActivated, PolicyVersion
from domain.runs import Alert, AlertLevel, AlertRaised
from tests.unit.learning.waiting import alert, question, refund
from tests.workflow.conftest import World
from tests.workflow.waiting import until
from workflows.attention import AttentionWorkflow

MINUTES = timedelta(minutes=2)


@dataclass(frozen=True)
class Office:
    """A world in which things come to wait, and the day's run of attention, its clock standing still."""

    world: World

    async def tell(self, *events: EventData) -> WorkflowHandle[AttentionWorkflow, str]:
        """Record the events and take their wake-ups along, as the relay does."""
        await self.world.record(*events)
        items = await self.world.kept.outbox.pending()
        with self.world.env.with_time_skipping_disabled():
            for item in items:
                await self.world.gateway.wake(item, debounce=timedelta(minutes=1))
        await self.world.kept.outbox.delivered([item.item_id for item in items])
        return self.run(items[0].at)

    def run(self, at: datetime) -> WorkflowHandle[AttentionWorkflow, str]:
        return self.world.client.get_workflow_handle_for(AttentionWorkflow.run, f"attention/{at.date().isoformat()}")

    async def pass_time(self, run: WorkflowHandle[AttentionWorkflow, str], duration: timedelta) -> None:
        await self.world.env.fast_forward(run, duration)

    async def quiet(self, *, from_hour: int, to_hour: int) -> None:
        policy = ApprovalPolicy(timezone="UTC", quiet_from_hour=from_hour, quiet_to_hour=to_hour).model_dump(mode="json")
        version = PolicyVersion(version=1, document=policy, proposed_by="operator", approved_by="operator", at=datetime.now(UTC))
        await self.world.record(PolicyActivated(name="approval", version=version))

    async def days(self) -> list[AttentionDay]:
        """The records of attention, once there are any."""
        return await until(lambda: self.world.kept.state.find(AttentionDay))

    async def sent(self, count: int) -> Sequence[Sent]:
        """The interrupts of all days, once there are ``count``."""

        async def enough() -> list[Sent] | None:
            found = [sent for day in await self.days() for sent in day.sent]
            return found if len(found) >= count else None

        return await until(enough)


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def asked(*numbers: int) -> list[EventData]:
    now = datetime.now(UTC)
    return [ApprovalRequested(approval=question(refund(n, amount=10 * n), number=n, at=now)) for n in numbers]


async def test_what_comes_within_a_minute_is_told_together_and_the_day_ends_by_itself(office: Office) -> None:
    """Five questions: the dearest three are told at one moment. A later one finds the budget spent, an urgent alert does not."""
    await office.quiet(from_hour=0, to_hour=0)
    run = await office.tell(*asked(1, 2, 3, 4))
    assert (await office.tell(*asked(5))).id == run.id
    await office.pass_time(run, MINUTES)
    first = await office.sent(3)
    assert [s.notice.value_at_risk for s in first] == [65.0, 55.0, 45.0]
    assert len({s.at for s in first}) == 1
    await office.tell(*asked(9), AlertRaised(alert=alert("log-broken", AlertLevel.URGENT)))
    await office.pass_time(run, MINUTES)
    assert [s.notice.kind for s in (await office.sent(4))[3:]] == ["log-broken"]
    await office.pass_time(run, timedelta(days=1))
    assert (await run.result()).endswith("left for the digest")


async def test_what_is_told_goes_out_and_what_does_not_get_through_is_one_alert(office: Office) -> None:
    """A service that is down holds up nothing; the link stands in the message and nowhere in the run's history."""
    notifier = office.world.notifier
    notifier.broken.add("mail")
    await office.quiet(from_hour=0, to_hour=0)
    run = await office.tell(*asked(1))
    await office.pass_time(run, MINUTES)

    async def undelivered() -> Alert | None:
        return await office.world.kept.state.get(Alert, UNDELIVERED)

    assert (await until(undelivered)).times == 1
    ((service, message),) = notifier.sent
    assert (service, message.body.splitlines()[0]) == ("phone", "a refund waits for your word (10.00 EUR)")
    token = message.body.rpartition("/")[2]
    assert token not in (await run.fetch_history()).to_json()
    notifier.broken.clear()
    await office.tell(AlertRaised(alert=alert("log-broken", AlertLevel.URGENT)))
    await office.pass_time(run, MINUTES)
    await until(lambda: _closed(office))


async def _closed(office: Office) -> bool:
    found = await office.world.kept.state.get(Alert, UNDELIVERED)
    return found is not None and not found.open


async def test_the_morning_page_is_sent(world: World) -> None:
    """To every service, once, however often it is written on that day."""
    for _ in range(2):
        run_id = await world.gateway.start_digest(now=datetime.now(UTC))
        await world.client.get_workflow_handle(run_id).result()
    assert sorted(service for service, _ in world.notifier.sent) == ["mail", "phone"]
    assert all("Nothing needs you" in message.body for _, message in world.notifier.sent)


async def test_what_comes_at_night_is_told_in_the_morning_though_nobody_calls(office: Office) -> None:
    """The run wakes by itself, even after its day."""
    hour = datetime.now(UTC).hour
    await office.quiet(from_hour=hour, to_hour=(hour + 9) % 24)
    run = await office.tell(*asked(1))
    await office.pass_time(run, timedelta(hours=8))
    kept_back = (await office.days())[0]
    assert (kept_back.sent, kept_back.deferred) == ((), 1)
    await office.pass_time(run, timedelta(hours=2))
    assert [s.notice.kind for s in await office.sent(1)] == ["refund-order"]
