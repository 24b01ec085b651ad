"""Feature flags: what is switched, for whom, and by how much. Evaluated through the OpenFeature API.

Assignment is a pure function of the flag's salt and the unit, so that any decision can be recomputed from the log.
"""

from collections.abc import Iterable
from typing import Any

from pydantic import Field, model_validator

from domain.choice import unit_of
from domain.errors import InvalidInput, NotFound
from domain.event import EventData
from domain.model import Moment, Name, Value

ON, OFF = "on", "off"


class Flag(Value):
    """``share`` of the units get the ``served`` variant while the flag is on, all others the ``default`` one.

    A ``pinned`` flag is left alone by everything but the operator.
    """

    key: Name
    description: str = ""
    variants: dict[str, Any] = Field(default_factory=lambda: {ON: True, OFF: False})
    default: Name = OFF
    served: Name = ON
    on: bool = True
    share: float = Field(default=1.0, ge=0, le=1)
    salt: str = ""
    pinned: bool = False
    why: str = ""

    @model_validator(mode="after")
    def _variants_are_known(self) -> "Flag":
        if unknown := {self.default, self.served} - self.variants.keys():
            raise ValueError(f"no variant {', '.join(sorted(unknown))} in {self.key}")
        return self

    def variant(self, unit: str) -> str:
        """The variant of ``unit``. Sticky, and monotone in ``share``: who has the served variant keeps it when it grows."""
        return self.served if self.on and unit_of(self.salt or self.key, unit) < self.share else self.default


class Evaluation(Value):
    """One evaluation. ``propensity`` is the probability with which this unit was given this variant."""

    key: Name
    variant: Name
    value: Any
    reason: str
    propensity: float = 1.0


class FlagSet(EventData):
    """A flag is made or changed; the whole flag is carried."""

    type = "flag.set"
    entity = Flag
    flag: Flag
    by: Name
    at: Moment

    @property
    def stream(self) -> str:
        return f"flag/{self.flag.key}"

    def fold(self, state: Flag | None) -> Flag:
        return self.flag


def own_flag(flags: Iterable[Flag], key: str) -> Flag:
    """The flag that the operator may switch. Raises NotFound, and InvalidInput for one that an experiment owns."""
    flag = next((f for f in flags if f.key == key), None)
    if flag is None:
        raise NotFound(f"there is no flag {key!r}", hint="`./steward flags list` shows them")
    if key.startswith(policy_flag("")):
        raise InvalidInput(f"{key} belongs to an experiment", hint="`./steward experiments stop NAME` takes it back")
    return flag


LEARNING = "learning"
AUTONOMY = "autonomy"

DEFAULT_FLAGS: dict[str, Flag] = {
    flag.key: flag
    for flag in (
        Flag(key=LEARNING, description="Steward proposes changes and tries them out; off: it only measures"),
        Flag(key=AUTONOMY, description="classes of actions that earned it are done without asking; off: as the modes say"),
    )
}


def policy_flag(policy: str) -> str:
    """The key of the flag that assigns a policy's candidate version."""
    return f"policy/{policy}"
