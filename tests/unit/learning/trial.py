"""A trial of the support policy in a memory of its own, and what happens to its runs."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import memory
from activities.exposing import Exposer
from activities.measuring import Measurer
from activities.rollout import RolloutActivities
from activities.steps import Judged, JudgeInput
from domain.actions import Risk
from domain.event import EventData, new_event
from domain.experiments import Arm, Experiment, Exposure, ExposureRecorded, Objective
from domain.failures import RootCause
from domain.learning import Candidate
from domain.policies import PolicyActivated, PolicyRecord, PolicyVersion, SupportPolicy
from domain.runs import RunStarted
from learning.steering import begin, propose

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
OBJECTIVES = (Objective(metric="corrected"), Objective(metric="reopened"), Objective(metric="refund-wrong"))


def version(number: int, *, days: float, by: str = "operator", approved_by: str = "operator") -> PolicyVersion:
    document = SupportPolicy(follow_up_after_days=days).model_dump(mode="json")
    return PolicyVersion(version=number, document=document, proposed_by=by, approved_by=approved_by, at=NOW)


def candidate(*, parent: int, days: float = 2, risk: Risk = Risk.R1, scope: tuple[str, ...] = (), **more: Any) -> Candidate:
    given: dict[str, Any] = {
        "policy": "support",
        "parent": parent,
        "document": SupportPolicy(follow_up_after_days=days).model_dump(mode="json"),
        "why": "customers answer sooner",
        "cause": RootCause.POLICY_WRONG,
        "risk": risk,
        "scope": scope,
        "objectives": OBJECTIVES,
    }
    return Candidate(**(given | more))


@dataclass(frozen=True)
class Trial:
    """Everything a test of a rollout touches. ``experiment_id`` is that of version 2 against version 1."""

    kept: memory.Memory
    experiment_id: str = "support@2"
    now: datetime = NOW

    @property
    def exposer(self) -> Exposer:
        return Exposer(flags=self.kept.flags, log=self.kept.log, state=self.kept.state)

    @property
    def measurer(self) -> Measurer:
        return Measurer(log=self.kept.log, state=self.kept.state)

    async def tell(self, *events: EventData, at: datetime | None = None) -> None:
        head = await self.kept.log.head()
        await self.kept.log.append([new_event(e, at=at or self.now, key=(str(head.seq), str(n))) for n, e in enumerate(events)])

    async def start(self, **candidate_of: Any) -> None:
        """Version 1 is in force; version 2 is proposed and tried."""
        await self.tell(PolicyActivated(name="support", version=version(1, days=4)))
        record = await self.record()
        proposed, number_two = propose(record, asked := candidate(parent=1, **candidate_of), now=self.now)
        await self.tell(proposed)
        expires = self.now + timedelta(days=28)
        events = begin(await self.record(), number_two, asked, level=0.1, share=0.5, expires_at=expires, now=self.now)
        await self.tell(*events)

    async def expose(self, run_id: str, arm: Arm, *, at: datetime | None = None, share: float = 0.5) -> None:
        """A run that was assigned to this arm and goes on."""
        at = at or self.now
        number = 2 if arm is Arm.CANDIDATE else 1
        exposure = Exposure(
            experiment_id=self.experiment_id, unit=run_id, run_id=run_id, arm=arm, version=number, share=share, at=at
        )
        await self.tell(RunStarted(run_id=run_id, workflow="support", at=at), ExposureRecorded(exposure=exposure), at=at)

    async def result(self, run_id: str, metric: str, value: float, *, at: datetime | None = None) -> None:
        at = at or self.now
        await self.measurer.measured(run_id=run_id, metric=metric, value=value, now=at, occurrence=f"{metric}/{at.isoformat()}")

    async def results(self, count: int, *, control: float, treated: float) -> None:
        """``count`` pairs of runs, one an arm; every ``corrected`` has the value of its arm."""
        for number in range(count):
            for arm, value in ((Arm.CONTROL, control), (Arm.CANDIDATE, treated)):
                at = self.now + timedelta(minutes=number)
                run_id = f"support/{arm}-{number}"
                await self.expose(run_id, arm, at=at)
                await self.result(run_id, "corrected", value, at=at)

    async def judge(self, at: datetime | None = None) -> Judged:
        steps = RolloutActivities(log=self.kept.log, state=self.kept.state)
        return await steps.judge_rollout(JudgeInput(experiment_id=self.experiment_id, now=at or self.now))

    async def experiment(self) -> Experiment:
        found = await self.kept.state.get(Experiment, self.experiment_id)
        assert found is not None
        return found

    async def record(self) -> PolicyRecord:
        found = await self.kept.state.get(PolicyRecord, "support")
        assert found is not None
        return found

    async def days(self, run_id: str = "") -> float:
        """What the run reads in its policy: 4 in version 1, 2 in version 2, 3 in what Steward comes with."""
        policies = self.kept.policies.of(run_id) if run_id else self.kept.policies
        return (await policies.in_force(SupportPolicy)).document.follow_up_after_days
