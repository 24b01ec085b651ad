"""The operator's word on what Steward proposes and tries, and the way back: one place for the command line and the console."""

from collections.abc import Sequence
from contextlib import suppress
from uuid import uuid4

from domain.errors import NotFound, VersionConflict
from domain.event import EventData, new_event
from domain.experiments import Experiment, Stage
from domain.model import Moment
from domain.policies import POLICY_TYPES, PolicyDropped, PolicyPinned, PolicyRecord
from domain.ports import EventLog, State
from domain.runs import Alert, AlertClosed
from learning.steering import approved, earlier, ratified, stopped

MOST_LOOKS = 5
"""So often a trial is looked at to stop it; each time it may just have seen something."""
Seen = dict[str, int]
"""Versions of streams, read before anything else: what moves later refuses the word."""


class Ratifier:
    """``by`` is who says it, at ``now``. Every method raises NotFound for what does not exist, DecisionRefused and InvalidInput
    as the rules say, and VersionConflict where the policy or its trial moved meanwhile."""

    def __init__(self, *, log: EventLog, state: State, by: str, now: Moment) -> None:
        self._log = log
        self._state = state
        self._by = by
        self._now = now

    async def ratify(self, name: str, number: int) -> PolicyRecord:
        """Bring a proposed version into force. One that is being tried has to have won."""
        found, trial, seen = await self._look(name)
        if trial is not None and trial.candidate == number:
            events = ratified(trial, found, by=self._by, now=self._now)
        else:
            events = approved(found, number, by=self._by, now=self._now)
        return await self._append(found, [*events, *await self._settled(name, number)], seen)

    async def drop(self, name: str, number: int, *, why: str) -> PolicyRecord:
        """Turn a proposed version down; one that is being tried is stopped."""
        found, trial, seen = await self._look(name)
        if trial is not None and trial.candidate == number:
            await self.stop(trial.experiment_id, hard=False, why=why)
            return await self._state.get(PolicyRecord, name) or found
        if all(version.version != number for version in found.proposed):
            raise NotFound(f"no version {number} of {name} is proposed", hint=f"`./steward policies history {name}` shows them")
        dropped = PolicyDropped(name=name, number=number, why=why, by=self._by)
        return await self._append(found, [dropped, *await self._settled(name, number)], seen)

    async def roll_back(self, name: str, *, hard: bool, why: str) -> PolicyRecord:
        """Take the last change back: what is being tried, or else the version in force."""
        found, trial, seen = await self._look(name)
        if trial is None:
            return await self._append(found, [earlier(found, by=self._by, now=self._now, why=why)], seen)
        await self.stop(trial.experiment_id, hard=hard, why=why)
        return await self._state.get(PolicyRecord, name) or found

    async def pin(self, name: str, *, on: bool) -> PolicyRecord:
        """Keep a policy as it is, or let it be changed again."""
        found, _, seen = await self._look(name)
        return await self._append(found, [PolicyPinned(name=name, on=on, by=self._by)], seen)

    async def stop(self, experiment_id: str, *, hard: bool, why: str) -> Experiment:
        """Take a trial back, whatever it saw meanwhile. ``hard``: runs in flight leave the candidate at once, too."""
        for _ in range(MOST_LOOKS - 1):
            with suppress(VersionConflict):
                return await self._stop(experiment_id, hard=hard, why=why)
        return await self._stop(experiment_id, hard=hard, why=why)

    async def let_win(self, experiment_id: str) -> Experiment:
        """Let a winner that waits for the operator's word go on to everybody."""
        experiment, record, seen = await self._tried(experiment_id)
        return await self._conclude(experiment, record, ratified(experiment, record, by=self._by, now=self._now), seen)

    async def _stop(self, experiment_id: str, *, hard: bool, why: str) -> Experiment:
        experiment, record, seen = await self._tried(experiment_id)
        events = stopped(experiment, record, by=self._by, hard=hard, why=why, now=self._now)
        return await self._conclude(experiment, record, events, seen)

    async def _look(self, name: str) -> tuple[PolicyRecord, Experiment | None, Seen]:
        """The policy and the trial that runs on it."""
        if name not in POLICY_TYPES:
            raise NotFound(f"there is no policy {name!r}", hint=f"there are {', '.join(POLICY_TYPES)}")
        seen = {f"policy/{name}": await self._state.version(PolicyRecord, name)}
        found = await self._state.get(PolicyRecord, name) or PolicyRecord(name=name)
        if not found.trial:
            return found, None, seen
        seen[f"experiment/{found.trial}"] = await self._state.version(Experiment, found.trial)
        return found, await self._state.get(Experiment, found.trial), seen

    async def _tried(self, experiment_id: str) -> tuple[Experiment, PolicyRecord, Seen]:
        policy = experiment_id.partition("@")[0]
        seen = {
            f"experiment/{experiment_id}": await self._state.version(Experiment, experiment_id),
            f"policy/{policy}": await self._state.version(PolicyRecord, policy),
        }
        experiment = await self._state.get(Experiment, experiment_id)
        record = await self._state.get(PolicyRecord, experiment.policy) if experiment else None
        if experiment is None or record is None:
            raise NotFound(f"there is no experiment {experiment_id!r}", hint="`./steward experiments list` shows them")
        return experiment, record, seen

    async def _settled(self, name: str, number: int) -> list[EventData]:
        """The alerts that asked for this word are closed by it."""
        trial = f"{name}@{number}"
        keys = (f"ratify/{trial}", *(f"experiment/{trial}/{stage}" for stage in Stage))
        found = [alert for key in keys if (alert := await self._state.get(Alert, key)) and alert.open]
        return [AlertClosed(key=alert.key, by=self._by) for alert in found]

    async def _conclude(self, experiment: Experiment, record: PolicyRecord, events: Sequence[EventData], seen: Seen) -> Experiment:
        await self._append(record, [*events, *await self._settled(record.name, experiment.candidate)], seen)
        return await self._state.get(Experiment, experiment.experiment_id) or experiment

    async def _append(self, found: PolicyRecord, events: Sequence[EventData], seen: Seen) -> PolicyRecord:
        """All or none; each call is an occurrence of its own."""
        occurrence = str(uuid4())
        named = [new_event(e, at=self._now, key=(occurrence, str(n)), actor=self._by) for n, e in enumerate(events)]
        await self._log.append(named, expected=seen)
        return await self._state.get(PolicyRecord, found.name) or found
