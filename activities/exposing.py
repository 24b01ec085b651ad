"""Who takes part in a trial: a run is assigned once, before its first decision under the policy that is tried."""

from domain.event import new_event
from domain.experiments import Arm, Experiment, Exposure, ExposureRecorded
from domain.flags import policy_flag
from domain.model import Moment
from domain.policies import PolicyRecord
from domain.ports import EventLog, Flags, State


class Exposer:
    def __init__(self, *, flags: Flags, log: EventLog, state: State) -> None:
        self._flags = flags
        self._log = log
        self._state = state

    async def expose(self, *policies: str, run_id: str, topic: str = "", now: Moment) -> None:
        """Assign the run to an arm of each trial on ``policies`` that concerns ``topic``. Only the first time counts."""
        for policy in policies:
            experiment = await self._trial(policy)
            if experiment and experiment.concerns(topic) and await self._is_new(experiment, run_id):
                await self._assign(experiment, run_id=run_id, topic=topic, now=now)

    async def _trial(self, policy: str) -> Experiment | None:
        record = await self._state.get(PolicyRecord, policy)
        experiment = await self._state.get(Experiment, record.trial) if record and record.trial else None
        return experiment if experiment and experiment.exposes else None

    async def _is_new(self, experiment: Experiment, run_id: str) -> bool:
        return await self._state.get(Exposure, f"{experiment.experiment_id}/{run_id}") is None

    async def _assign(self, experiment: Experiment, *, run_id: str, topic: str, now: Moment) -> None:
        unit = experiment.unit(run_id, now)
        flag = policy_flag(experiment.policy)
        assigned = await self._flags.evaluate(flag, unit=unit)
        arm = Arm(assigned.variant)
        exposure = Exposure(
            experiment_id=experiment.experiment_id,
            unit=unit,
            run_id=run_id,
            arm=arm,
            version=experiment.candidate if arm is Arm.CANDIDATE else experiment.control,
            share=assigned.propensity if arm is Arm.CANDIDATE else 1 - assigned.propensity,
            topic=topic,
            at=now,
        )
        event = new_event(
            ExposureRecorded(exposure=exposure),
            at=now,
            key=(experiment.experiment_id, run_id),
            correlation_id=run_id,
            flags={flag: arm.value},
        )
        await self._log.append([event])
