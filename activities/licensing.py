"""Earned autonomy in use: which class an action belongs to, whether it may go without asking, and what is learned of it."""

from domain.actions import SendReply
from domain.autonomy import ClassRecord, ClassReviewed, Grant, class_of
from domain.choice import unit_of
from domain.decisions import Planned
from domain.errors import Retryable, VersionConflict
from domain.event import new_event
from domain.flags import AUTONOMY
from domain.gate import Licence
from domain.model import Moment
from domain.policies import AutonomyPolicy, PolicyActivated, PolicyRecord, PolicyVersion
from domain.ports import EventLog, Flags, Policies, State
from learning.autonomy import sample_share, without_what_is_lost

_WATCH = "auditor"
"""Proposes to take a grant back; the rule of the policy itself approves, at once."""


class Licensing:
    def __init__(self, *, flags: Flags, log: EventLog, policies: Policies, state: State) -> None:
        self._flags = flags
        self._log = log
        self._policies = policies
        self._state = state

    async def licence(self, planned: Planned, *, workflow: str, run_id: str) -> Licence:
        """Whether the action's class may act without asking. A share of what may is asked all the same.

        A reply that nobody has written yet is nothing that could go.
        """
        if isinstance(planned.action, SendReply) and planned.action.unwritten:
            return Licence.NONE
        key = class_of(workflow, planned.action, planned.why.topic)
        grant = await self.granted(key)
        if grant is None or not (await self._flags.evaluate(AUTONOMY, unit=key)).value:
            return Licence.NONE
        share = await self._sample(grant)
        return Licence.SAMPLED if unit_of("sample", key, run_id, planned.step) < share else Licence.EARNED

    async def granted(self, key: str) -> Grant | None:
        return (await self._policies.in_force(AutonomyPolicy)).document.grants.get(key)

    async def reviewed(self, key: str, *, ref: str, corrected: bool, severe: bool = False, now: Moment) -> None:
        """Count a review of the class, and take its grant back at once where it does not deserve it any more."""
        review = ClassReviewed(key=key, ref=ref, corrected=corrected, severe=severe, at=now)
        await self._log.append([new_event(review, at=now, key=(key, ref))])
        at_version = await self._state.version(PolicyRecord, "autonomy")
        records = await self._state.find(ClassRecord)
        record = next((r for r in records if r.key == key), None)
        policy = (await self._policies.in_force(AutonomyPolicy)).document
        less = without_what_is_lost(policy, record, records) if record and policy.grants else None
        if less is not None:
            await self._revoke(less, at_version=at_version, key=key, ref=ref, now=now)

    async def _sample(self, grant: Grant) -> float:
        policy = (await self._policies.in_force(AutonomyPolicy)).document
        records = await self._state.find(ClassRecord)
        record = next((r for r in records if r.key == grant.key), ClassRecord(key=grant.key))
        return sample_share(policy, grant, record, records)

    async def _revoke(self, less: AutonomyPolicy, *, at_version: int, key: str, ref: str, now: Moment) -> None:
        policy = await self._state.get(PolicyRecord, "autonomy") or PolicyRecord(name="autonomy")
        version = PolicyVersion(
            version=policy.next_version,
            document=less.model_dump(mode="json"),
            proposed_by=_WATCH,
            approved_by="rule/autonomy",
            at=now,
            why=f"{key} was corrected ({ref}), and asks again",
            parent=policy.active,
        )
        event = new_event(PolicyActivated(name="autonomy", version=version), at=now, key=("revoke", key, ref))
        try:
            await self._log.append([event], expected={"policy/autonomy": at_version})
        except VersionConflict as moved:
            raise Retryable("the autonomy policy moved meanwhile") from moved
