"""The policies in force, read from the canonical state: for everybody, or for one run that takes part in a trial."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from domain.errors import InvalidInput
from domain.experiments import Exposure
from domain.flags import policy_flag
from domain.knowledge import InForce
from domain.model import Value
from domain.policies import POLICY_TYPES, Policy, PolicyRecord, Trial
from domain.ports import State
from domain.problems import first_problem
from domain.runs import Run

P = TypeVar("P", bound=Policy)
E = TypeVar("E", bound=Value)


class Records(Protocol):
    """Whatever answers for the entity of a key: the state itself, or a cache before it."""

    async def get(self, entity: type[E], key: str) -> E | None: ...


NAME_OF: Mapping[type[Policy], str] = {policy: name for name, policy in POLICY_TYPES.items()}


class StatePolicies:
    """See ``ports.Policies``. It reads any State, so it has no fake of its own.

    Reading never assigns: a run that was not exposed to a trial gets what is in force for everybody.

    Records of policies are read many times a step and change a few times a month, so they may come from ``records``, which
    keeps copies. What a copy that was a moment too old let through is refused where the effect is reserved: there the
    policies are compared in the same transaction.
    """

    def __init__(self, state: State, *, records: Records | None = None, run_id: str = "") -> None:
        self._state = state
        self._records = records or state
        self._run_id = run_id

    def of(self, run_id: str) -> "StatePolicies":
        return StatePolicies(self._state, records=self._records, run_id=run_id)

    async def in_force(self, policy: type[P]) -> InForce[P]:
        record = await self._records.get(PolicyRecord, NAME_OF[policy])
        if record is None:
            return in_force(policy, None)
        exposure = await self._exposure(record)
        return in_force(policy, record, version=exposure.version if exposure else None)

    async def versions(self) -> dict[str, int]:
        records = {record.name: record for record in await self._all()}
        exposures = await self._exposures(records.values())
        active = {name: exposures[name].version if name in exposures else record.active for name, record in records.items()}
        return {name: active.get(name, 0) for name in POLICY_TYPES}

    async def arms(self) -> dict[str, str]:
        exposures = await self._exposures(await self._all())
        return {policy_flag(name): exposure.arm.value for name, exposure in exposures.items()}

    async def _all(self) -> list[PolicyRecord]:
        """One statement where each would be one; copies one by one, so that they are those that ``in_force`` goes by."""
        if self._records is self._state:
            return await self._state.find(PolicyRecord)
        found = [await self._records.get(PolicyRecord, name) for name in POLICY_TYPES]
        return [record for record in found if record is not None]

    async def _exposures(self, records: Iterable[PolicyRecord]) -> dict[str, Exposure]:
        found = {record.name: await self._exposure(record) for record in records}
        return {name: exposure for name, exposure in found.items() if exposure is not None}

    async def _exposure(self, record: PolicyRecord) -> Exposure | None:
        """The exposure that still binds the run: in the trial that is running, or in an ended one while the run goes on."""
        for trial in reversed(record.trials) if self._run_id else ():
            if trial.hard:
                continue
            exposure = await self._state.get(Exposure, f"{trial.experiment_id}/{self._run_id}")
            if exposure is not None and (trial.running or await self._goes_on(trial)):
                return exposure
        return None

    async def _goes_on(self, trial: Trial) -> bool:
        run = await self._state.get(Run, self._run_id)
        return run is not None and run.status == "running" and (trial.ended_at is None or run.started_at <= trial.ended_at)


def in_force(policy: type[P], record: PolicyRecord | None, *, version: int | None = None) -> InForce[P]:
    """The document in force, or that of ``version``, typed. Raises InvalidInput where the stored one does not fit its type."""
    name = NAME_OF[policy]
    number = version if version is not None else record.active if record else 0
    found = record.version(number) if record else None
    if found is None:
        return InForce(name=name, version=0, document=policy())
    return InForce(name=name, version=number, document=_typed(policy, f"{name}@{number}", found.document))


def _typed(policy: type[P], ref: str, document: dict[str, Any]) -> P:
    try:
        return policy.model_validate(document)
    except ValidationError as error:
        field, problem = first_problem(error)
        raise InvalidInput(f"the policy {ref} is not valid: {field}: {problem}", hint="activate a corrected version") from error
