"""The policies in force, read from the canonical state."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from domain.errors import InvalidInput
from domain.knowledge import InForce
from domain.policies import POLICY_TYPES, Policy, PolicyRecord
from domain.ports import State

P = TypeVar("P", bound=Policy)

NAME_OF: Mapping[type[Policy], str] = {policy: name for name, policy in POLICY_TYPES.items()}


class StatePolicies:
    """See ``ports.Policies``. It reads any State, so it has no fake of its own."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def in_force(self, policy: type[P]) -> InForce[P]:
        name = NAME_OF[policy]
        record = await self._state.get(PolicyRecord, name)
        return in_force(policy, record)

    async def versions(self) -> dict[str, int]:
        active = {record.name: record.active for record in await self._state.find(PolicyRecord)}
        return {name: active.get(name, 0) for name in POLICY_TYPES}


def in_force(policy: type[P], record: PolicyRecord | None) -> InForce[P]:
    """The document in force, typed. Raises InvalidInput where the stored one does not fit its type."""
    name = NAME_OF[policy]
    if record is None:
        return InForce(name=name, version=0, document=policy())
    return InForce(name=name, version=record.active, document=_typed(policy, f"{name}@{record.active}", record.in_force.document))


def _typed(policy: type[P], ref: str, document: dict[str, Any]) -> P:
    try:
        return policy.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise InvalidInput(
            f"the policy {ref} is not valid: {field}: {first['msg']}", hint="activate a corrected version"
        ) from error
