"""Feature flags through the OpenFeature API, with a provider over the flags and trials of the canonical state."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import FlagNotFoundError
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider import AbstractProvider, Metadata

from domain.errors import NotFound
from domain.experiments import Arm, Experiment, Stage
from domain.flags import DEFAULT_FLAGS, Evaluation, Flag, policy_flag
from domain.ports import State

_PROPENSITY = "propensity"


class TableProvider(AbstractProvider):
    """Answers from ``flags``, in process: a dictionary look-up and one hash. The targeting key is the unit."""

    def __init__(self) -> None:
        super().__init__()
        self.flags: Mapping[str, Flag] = {}

    def get_metadata(self) -> Metadata:
        return Metadata(name="steward")

    def _resolve(
        self,
        flag_key: str,
        default_value: Any,  # noqa: ARG002 - the signature is OpenFeature's; an unknown flag is an error
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Any]:
        flag = self.flags.get(flag_key)
        if flag is None:
            raise FlagNotFoundError(f"there is no flag {flag_key!r}")
        variant = flag.variant((evaluation_context.targeting_key if evaluation_context else None) or "")
        split = flag.on and 0 < flag.share < 1
        reason = Reason.SPLIT if split else Reason.STATIC if flag.on else Reason.DISABLED
        share = flag.share if variant == flag.served else 1 - flag.share
        return FlagResolutionDetails(
            value=flag.variants[variant], variant=variant, reason=reason, flag_metadata={_PROPENSITY: share if split else 1.0}
        )

    resolve_boolean_details = _resolve
    resolve_string_details = _resolve
    resolve_integer_details = _resolve
    resolve_float_details = _resolve
    resolve_object_details = _resolve


class StateFlags:
    """See ``ports.Flags``. Each evaluation reads the tables first, so that a rollback holds from the next decision on."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.provider = TableProvider()
        domain = f"steward/{uuid4()}"
        api.set_provider_and_wait(self.provider, domain)
        self.client = api.get_client(domain)

    async def evaluate(self, key: str, *, unit: str) -> Evaluation:
        self.provider.flags = flags = await self._flags()
        if key not in flags:
            raise NotFound(f"there is no flag {key!r}", hint="`./steward flags` lists them")
        default = flags[key].variants[flags[key].default]
        context = EvaluationContext(targeting_key=unit)
        resolve: Any = self.client.get_boolean_details if isinstance(default, bool) else self.client.get_string_details
        details = resolve(key, default, context)
        propensity = details.flag_metadata.get(_PROPENSITY, 1.0)
        return Evaluation(key=key, variant=details.variant, value=details.value, reason=str(details.reason), propensity=propensity)

    async def all(self) -> list[Flag]:
        return [flag for _, flag in sorted((await self._flags()).items())]

    async def _flags(self) -> dict[str, Flag]:
        stored = {flag.key: flag for flag in await self._state.find(Flag)}
        trials = [e for stage in (Stage.CANARY, Stage.HOLDOUT) for e in await self._state.find(Experiment, stage=stage)]
        return {**DEFAULT_FLAGS, **stored, **{flag.key: flag for flag in map(flag_of, trials)}}


def flag_of(experiment: Experiment) -> Flag:
    """The flag that assigns runs to the arms of an experiment."""
    return Flag(
        key=policy_flag(experiment.policy),
        description=experiment.why,
        variants={arm.value: arm.value for arm in Arm},
        default=Arm.CONTROL,
        served=Arm.CANDIDATE,
        share=experiment.share,
        salt=experiment.salt,
    )
