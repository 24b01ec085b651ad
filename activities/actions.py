"""The steps of a governed action: propose, ask, carry out, reconcile, undo."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from temporalio import activity

from activities.licensing import Licensing
from activities.steps import (
    ActionResult,
    CarryOutInput,
    EffectInput,
    Proposed,
    ProposeInput,
    ResultKind,
    RevertInput,
    RevertPlan,
    SettleInput,
)
from activities.undoing import effects_of
from agents.auditor import Auditor
from agents.executor import Executor
from agents.skills.schema_org import following
from domain import gate
from domain.actions import Action, CallTool, Capability, PublishContent, Receipt
from domain.approvals import Approval, default_on_expiry, outside_quiet_hours
from domain.autonomy import class_of
from domain.bypasses import ActedUnderBypass
from domain.decisions import Diff, GateDecision, GateOutcome, Proposal
from domain.effects import Effect, EffectStatus, Reservation, effect_key, reservation_of
from domain.entities import PurchaseOrder
from domain.errors import NotFound, Outdated, Permanent, Refused, Retryable, Stale, Unknown
from domain.event import EventData, NewEvent, new_event
from domain.ids import derived_id
from domain.model import Moment
from domain.policies import ApprovalPolicy, BoundsPolicy, GatePolicy, ToolsPolicy
from domain.ports import EventLog, Guards, Ledger, Policies, State
from domain.runs import (
    ActedAlone,
    ActionFailed,
    ActionRefused,
    ActionRehearsed,
    ActionSuggested,
    Alert,
    AlertLevel,
    AlertRaised,
    Controls,
)
from domain.undoing import inverse_now


class ActionActivities:
    """The only code that makes an effect happen."""

    def __init__(
        self,
        *,
        executor: Executor,
        auditor: Auditor,
        ledger: Ledger,
        guards: Guards,
        log: EventLog,
        state: State,
        policies: Policies,
        licensing: Licensing,
    ) -> None:
        self._executor = executor
        self._auditor = auditor
        self._ledger = ledger
        self._guards = guards
        self._log = log
        self._state = state
        self._policies = policies
        self._licensing = licensing

    @activity.defn
    async def propose(self, request: ProposeInput) -> Proposed:
        """Preview, audit and gate an action. Refusals and suggestions are recorded here, since nothing follows them."""
        request = _of_one_piece(await self._on_terms_in_force(request))
        proposal = await self._proposal(request)
        match proposal.gate.outcome:
            case GateOutcome.ASK:
                return Proposed(proposal=proposal, approval=await self._approval(request, proposal))
            case GateOutcome.SUGGEST:
                await self._record(request, ActionSuggested(run_id=request.run_id, proposal=proposal))
            case GateOutcome.REFUSE:
                action = request.planned.action
                refused = ActionRefused(
                    run_id=request.run_id, action_kind=action.kind, summary=action.summary(), reasons=proposal.gate.reasons
                )
                await self._record(request, refused)
            case GateOutcome.ALLOW:
                await self._say_if_alone(request, proposal)
        return Proposed(proposal=proposal)

    async def _say_if_alone(self, request: ProposeInput, proposal: Proposal) -> None:
        """Whose word spared the question: a bypass, or what the class had earned."""
        kind, gated = proposal.action.kind, proposal.gate
        if gated.bypass is not None:
            said = ActedUnderBypass(run_id=request.run_id, action_kind=kind, bypass=gated.bypass, reasons=gated.reasons)
            await self._record(request, said)
            return
        key = class_of(request.workflow, proposal.action, proposal.why.topic)
        if await self._licensing.granted(key):
            await self._record(request, ActedAlone(run_id=request.run_id, action_kind=kind, class_key=key))

    @activity.defn
    async def carry_out(self, request: CarryOutInput) -> ActionResult:
        """Reserve, execute and commit one approved action. Safe to repeat at any point.

        What was approved is stale where a policy moved since it was shown, or the outside record did.
        """
        reservation = reservation_of(request.proposal, approval_id=request.approval_id, now=request.now)
        return await self._effect(reservation)

    @activity.defn
    async def reconcile(self, request: EffectInput) -> ActionResult:
        """Find out what became of an effect that nobody reported. Raises Retryable while the outside system cannot tell."""
        effects = await self._ledger.effects(key=request.key)
        if not effects:
            return ActionResult(kind=ResultKind.FAILED, summary="", key=request.key, detail="it was never begun")
        effect = effects[0]
        match effect.status:
            case EffectStatus.RESERVED:
                return _result_of(await self._settle(effect, EffectStatus.FAILED, "it was never begun", request.now))
            case EffectStatus.EXECUTING:
                effect = await self._settle(effect, EffectStatus.UNKNOWN, "nobody reported back", request.now)
            case EffectStatus.COMMITTED | EffectStatus.COMPENSATED | EffectStatus.FAILED:
                return _result_of(effect)
            case EffectStatus.UNKNOWN:
                pass
        receipt = await self._executor.find_receipt(effect)
        if receipt is None:
            return _result_of(await self._settle(effect, EffectStatus.FAILED, "it did not happen", request.now))
        return await self._commit(effect, receipt, request.now)

    @activity.defn
    async def settle_by_operator(self, request: SettleInput) -> ActionResult:
        """The operator looked and knows."""
        effect = await self._one(request.key)
        if effect.status is not EffectStatus.UNKNOWN:
            return _result_of(effect)
        if not request.happened:
            settled = await self._ledger.settle(
                effect.key, EffectStatus.FAILED, error=f"{request.by}: did not happen", now=request.now
            )
            return _result_of(settled)
        receipt = Receipt(reference=f"confirmed-by-{request.by}", at=request.now)
        return await self._commit(effect, receipt, request.now)

    @activity.defn
    async def effects_to_undo(self, request: RevertInput) -> RevertPlan:
        """Effects of the run named by ``key`` that stand, newest first, and those nobody knows of yet."""
        effects = await effects_of(request.key, state=self._state, ledger=self._ledger, everything=request.everything)
        effects = [e for e in effects if not e.compensates]
        return RevertPlan(
            keys=tuple(e.key for e in effects if e.status is EffectStatus.COMMITTED),
            unsettled=tuple(e.key for e in effects if e.status in (EffectStatus.EXECUTING, EffectStatus.UNKNOWN)),
        )

    @activity.defn
    async def undo(self, request: EffectInput) -> ActionResult:
        """Carry out the inverse of a committed effect, from the outside record as it is now."""
        effect = await self._one(request.key)
        if effect.status is EffectStatus.COMPENSATED:
            return ActionResult(kind=ResultKind.COMMITTED, summary=f"undid: {effect.action.summary()}", key=effect.key)
        inverse = inverse_now(effect, await self._state.find(PurchaseOrder))
        if isinstance(inverse, str):
            return _ended(effect, ResultKind.IMPOSSIBLE, inverse)
        return await self._effect(await self._reservation_to_undo(effect, inverse, request.now))

    async def _on_terms_in_force(self, request: ProposeInput) -> ProposeInput:
        """A tool is called on the terms of the policy as it is now: what a proposer says of its risk counts for nothing."""
        action = request.planned.action
        if not isinstance(action, CallTool):
            return request
        tools = (await self._policies.of(request.run_id).in_force(ToolsPolicy)).document.tools
        planned = request.planned.model_copy(update={"action": action.on(tools.get(action.name))})
        return request.model_copy(update={"planned": planned})

    async def _proposal(self, request: ProposeInput) -> Proposal:
        planned = request.planned
        diff = await self._executor.preview(planned.action)
        policies = self._policies.of(request.run_id)
        versions = await policies.versions()  # before the documents: what changes in between is refused when it is reserved
        verdict = await self._auditor.before(
            action=planned.action, diff=diff, why=planned.why, now=request.now, run_id=request.run_id
        )
        controls = await self._state.get(Controls, "self") or Controls()
        policy = await policies.in_force(GatePolicy)
        decision = gate.decide(
            action=planned.action,
            mode=controls.mode_of(request.workflow, planned.action.kind),
            verdict=verdict,
            why=planned.why,
            policy=policy.document,
            breaker_open=await self._breaker_open(planned.action, request.now),
            bound_exceeded=await self._guards.exceeded(planned.action, run_id=request.run_id, now=request.now),
            licence=await self._licensing.licence(planned, workflow=request.workflow, run_id=request.run_id),
            bypass=controls.bypass_of(request.workflow, planned.action.kind, request.now),
        )
        return Proposal(
            run_id=request.run_id,
            workflow=request.workflow,
            step=planned.step,
            action=planned.action,
            diff=diff,
            verdict=verdict,
            gate=_with_history(decision, request, passed=verdict.passed),
            why=planned.why,
            policy_versions=versions,
            flags=await policies.arms(),
            proposed_at=request.now,
        )

    async def _breaker_open(self, action: Action, now: Moment) -> bool:
        """Open, and not yet due for a trial."""
        breaker = await self._guards.breaker((await self._executor.resolve(action)).name, action.kind)
        pause = timedelta(seconds=(await self._policies.in_force(BoundsPolicy)).document.breaker_seconds)
        return breaker.admits(now, pause) is None

    async def _approval(self, request: ProposeInput, proposal: Proposal) -> Approval:
        policy = (await self._policies.in_force(ApprovalPolicy)).document
        expires = request.now + timedelta(hours=policy.expire_after_hours)
        old = request.replaces
        occasion = (str(request.round), request.now.isoformat())  # the same step of a later run is another question
        return Approval(
            approval_id=str(derived_id("approval", request.run_id, proposal.step, proposal.digest, *occasion)),
            proposal=proposal,
            deciders=policy.deciders,
            requested_at=request.now,
            remind_at=_awake(policy, request.now, policy.remind_after_hours),
            escalate_at=_awake(policy, request.now, policy.escalate_after_hours),
            expires_at=expires,
            on_expiry=default_on_expiry(proposal, policy.on_expiry, anew=request.anew),
            replaces=old.digest if old else "",
            moved=_moved(old, proposal) if old else (),
        )

    async def _effect(self, reservation: Reservation) -> ActionResult:
        connector = await self._executor.resolve(reservation.action)
        try:
            effect = await self._ledger.reserve(reservation, connector=connector.name)
        except Refused as no:
            return _unreserved(reservation, ResultKind.REFUSED, no)
        except Outdated as no:
            return _unreserved(reservation, ResultKind.OUTDATED, no)
        except Stale as no:
            return _unreserved(reservation, ResultKind.STALE, no)
        match effect.status:
            case EffectStatus.COMMITTED | EffectStatus.COMPENSATED | EffectStatus.UNKNOWN:
                return _result_of(effect)
            case EffectStatus.EXECUTING:
                return await self._resume(effect, reservation.now)
            case _:
                return await self._begin(effect, reservation)

    async def _begin(self, effect: Effect, reservation: Reservation) -> ActionResult:
        try:
            begun = await self._ledger.begin(effect.key, now=reservation.now)
        except Refused as no:
            await self._settle(effect, EffectStatus.FAILED, str(no), reservation.now, system_fault=False)
            return _unreserved(reservation, ResultKind.REFUSED, no)
        except Unknown:  # another attempt of this step, given up as dead, begins it at this moment
            return await self._resume(await self._one(effect.key), reservation.now)
        return await self._execute(begun, reservation.now)

    async def _resume(self, effect: Effect, now: Moment) -> ActionResult:
        """A step died between starting the effect and recording it: look before doing anything."""
        receipt = await self._executor.find_receipt(effect)
        if receipt:
            return await self._commit(effect, receipt, now)
        controls = await self._state.get(Controls, "self")
        if controls and controls.kill_switch and not effect.compensates:
            await self._settle(effect, EffectStatus.FAILED, "the kill switch is on", now, system_fault=False)
            return _ended(effect, ResultKind.REFUSED, "the kill switch is on")
        return await self._execute(effect, now)

    async def _execute(self, effect: Effect, now: Moment) -> ActionResult:
        try:
            receipt = await self._executor.execute(effect, now=now)
        except Stale as error:
            await self._settle(effect, EffectStatus.FAILED, str(error), now, system_fault=False)
            return _ended(effect, ResultKind.STALE, str(error))
        except Permanent as error:
            return await self._failed(effect, str(error), now)
        except Unknown as error:
            return _result_of(await self._settle(effect, EffectStatus.UNKNOWN, str(error), now))
        except Retryable as error:
            # One outage is one failure, however often the step is tried in it.
            await self._settle(effect, EffectStatus.FAILED, str(error), now, system_fault=activity.info().attempt == 1)
            raise
        return await self._commit(effect, receipt, now)

    async def _failed(self, effect: Effect, error: str, now: Moment) -> ActionResult:
        settled = await self._settle(effect, EffectStatus.FAILED, error, now)
        data = ActionFailed(run_id=effect.run_id, action_kind=effect.action.kind, summary=effect.action.summary(), error=error)
        await self._log.append([new_event(data, at=now, key=(effect.key, error), correlation_id=effect.run_id)])
        return _result_of(settled)

    async def _commit(self, effect: Effect, receipt: Receipt, now: Moment) -> ActionResult:
        if receipt.rehearsed_by:
            return await self._rehearsed(effect, receipt, now)
        flags = await self._policies.of(effect.run_id).arms()
        committed = await self._ledger.commit(effect.key, receipt, _effect_events(effect, receipt, flags))
        verdict = await self._auditor.after(effect=committed, now=now)
        if not verdict.passed:
            await self._alert(committed, "; ".join(f.text for f in verdict.findings), now)
        return _result_of(committed)

    async def _rehearsed(self, effect: Effect, receipt: Receipt, now: Moment) -> ActionResult:
        """Nothing happened outside, so nothing of it becomes true: the effect ends like a suggestion and may be done later."""
        said = f"{receipt.rehearsed_by} is not live: shown as {receipt.reference}, nothing was sent"
        await self._settle(effect, EffectStatus.FAILED, said, now, system_fault=False)
        data = ActionRehearsed(
            run_id=effect.run_id,
            action_kind=effect.action.kind,
            summary=effect.action.summary(),
            connection=receipt.rehearsed_by,
            reference=receipt.reference,
        )
        await self._log.append([new_event(data, at=now, key=(effect.key, receipt.reference), correlation_id=effect.run_id)])
        return _ended(effect, ResultKind.SUGGESTED, said)

    async def _settle(self, effect: Effect, status: EffectStatus, error: str, now: Moment, *, system_fault: bool = True) -> Effect:
        return await self._ledger.settle(effect.key, status, error=error, now=now, system_fault=system_fault)

    async def _alert(self, effect: Effect, text: str, now: Moment) -> None:
        alert = Alert(
            key=f"audit-after/{effect.key}",
            level=AlertLevel.URGENT,
            text=f"{effect.action.summary()}: {text}",
            what_to_do=f"look at the record, then `steward rollback {effect.run_id}` if it is wrong",
            run_id=effect.run_id,
            at=now,
        )
        await self._log.append([new_event(AlertRaised(alert=alert), at=now, key=(alert.key,), correlation_id=effect.run_id)])

    async def _reservation_to_undo(self, effect: Effect, inverse: Action, now: Moment) -> Reservation:
        """What was begun before is taken up as it was shown: the outside record may have the effect already."""
        step = f"compensate/{effect.key}"
        key = effect_key(effect.run_id, step, inverse)
        begun = [e for e in await self._ledger.effects(key=key) if e.status is not EffectStatus.FAILED]
        return Reservation(
            key=key,
            run_id=effect.run_id,
            workflow=effect.workflow,
            step=step,
            action=inverse,
            diff=begun[0].diff if begun else await self._preview_of_undo(effect, inverse),
            policy_versions=await self._policies.of(effect.run_id).versions(),
            compensates=effect.key,
            now=now,
        )

    async def _preview_of_undo(self, effect: Effect, inverse: Action) -> Diff:
        """Raises Stale where somebody changed, after the effect, what undoing it would set back, or another system is connected."""
        connected = (await self._executor.resolve(effect.action)).name
        if connected != effect.connector:
            raise Stale(f"it was done through {effect.connector}, and {connected} is connected now", hint="undo it there by hand")
        diff = await self._executor.preview(inverse)
        if effect.action.spec.capability is Capability.SHOP:
            later = [field for field, _, after in effect.diff.changes() if diff.before.get(field) != after]
            if later:
                raise Stale(
                    f"{diff.record}: {', '.join(later)} was changed after this effect", hint="undo it by hand, or not at all"
                )
        return diff

    async def _one(self, key: str) -> Effect:
        effects = await self._ledger.effects(key=key)
        if not effects:
            raise NotFound(f"no effect {key}", hint="see `steward show RUN` for the effects of a run")
        return effects[0]

    async def _record(self, request: ProposeInput, data: EventData) -> None:
        occasion = (str(request.round), request.now.isoformat())
        key = (request.run_id, request.planned.step, *occasion, request.planned.action.digest())
        await self._log.append([new_event(data, at=request.now, key=key, correlation_id=request.run_id)])


def _of_one_piece(request: ProposeInput) -> ProposeInput:
    """A page whose title or text was edited has structured data that says the same."""
    action = request.planned.action
    if not isinstance(action, PublishContent):
        return request
    planned = request.planned.model_copy(update={"action": PublishContent(piece=following(action.piece))})
    return request.model_copy(update={"planned": planned})


def _with_history(decision: GateDecision, request: ProposeInput, *, passed: bool) -> GateDecision:
    """An operator's own edit needs no second yes if it audits clean; something that moved is always asked anew."""
    if decision.outcome not in (GateOutcome.ALLOW, GateOutcome.ASK):
        return decision
    if request.anew:
        return GateDecision(outcome=GateOutcome.ASK, reasons=(request.anew, *decision.reasons))
    if request.edited and passed:
        return GateDecision(outcome=GateOutcome.ALLOW, reasons=("edited and approved by the operator",))
    return decision


def _awake(policy: ApprovalPolicy, now: Moment, hours: float) -> Moment:
    local = (now + timedelta(hours=hours)).astimezone(ZoneInfo(policy.timezone))
    return outside_quiet_hours(local, start_hour=policy.quiet_from_hour, end_hour=policy.quiet_to_hour)


def _moved(old: Proposal, new: Proposal) -> tuple[str, ...]:
    """What changed between two showings of the same step, in words."""
    fields = dict.fromkeys((*old.diff.before, *new.diff.before))
    records = [f"{f} was {old.diff.before.get(f)!r}, is {new.diff.before.get(f)!r}" for f in fields
               if old.diff.before.get(f) != new.diff.before.get(f)]  # fmt: skip
    policies = [f"policy {p} is now version {v}" for p, v in new.policy_versions.items() if old.policy_versions.get(p) != v]
    return (*records, *policies)


def _effect_events(effect: Effect, receipt: Receipt, flags: dict[str, str]) -> list[NewEvent]:
    return [
        new_event(
            data,
            at=receipt.at,
            key=(effect.key, str(position)),
            source=f"connector/{effect.action.spec.capability}",
            correlation_id=effect.run_id,
            causation_id=effect.key,
            policy_versions=effect.policy_versions,
            flags=flags,
        )
        for position, data in enumerate(effect.action.events(receipt))
    ]


def _ended(effect: Effect, kind: ResultKind, detail: str) -> ActionResult:
    return ActionResult(kind=kind, summary=effect.action.summary(), key=effect.key, detail=detail)


def _unreserved(reservation: Reservation, kind: ResultKind, no: Refused | Stale) -> ActionResult:
    return ActionResult(kind=kind, summary=reservation.action.summary(), key=reservation.key, detail=str(no))


def _result_of(effect: Effect) -> ActionResult:
    kinds = {
        EffectStatus.COMMITTED: ResultKind.COMMITTED,
        EffectStatus.COMPENSATED: ResultKind.COMMITTED,
        EffectStatus.UNKNOWN: ResultKind.UNKNOWN,
    }
    return ActionResult(
        kind=kinds.get(effect.status, ResultKind.FAILED), summary=effect.action.summary(), key=effect.key, detail=effect.error
    )
