"""The ledger and its guards, in memory."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any

from domain.actions import Action, Bound, PlacePurchaseOrder, Receipt
from domain.catalogue import load_event
from domain.effects import UNDER_WAY, Breaker, Effect, EffectStatus, Reservation
from domain.entities import Shop
from domain.errors import InvalidInput, NotFound, Refused
from domain.event import NewEvent
from domain.events import StockOrdered
from domain.model import Moment
from domain.money import Money
from domain.policies import AutonomyPolicy, BoundsPolicy, PolicyRecord
from domain.runs import Controls
from memory.bounds import charges, day_scope, first_exceeded, uncounted
from memory.effect_rules import (
    admitted,
    called_outside,
    check_can_begin,
    check_kill_switch,
    check_mode,
    check_order,
    check_policies,
    check_same_effect,
    moved,
    new_effect,
    uses_bounds,
)
from memory.fakes.log import InMemoryState
from memory.fakes.shelves import spent_on
from memory.fakes.store import Store
from memory.policies import StatePolicies, in_force


class InMemoryLedger:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def reserve(self, reservation: Reservation, *, connector: str) -> Effect:
        known = self._store.effects.get(reservation.key)
        if known is not None:
            check_same_effect(known, reservation)
            if known.status is not EffectStatus.FAILED:
                return known
        effect = new_effect(reservation, connector=connector)
        policies = StatePolicies(InMemoryState(self._store))
        granted = reservation.class_key in (await policies.in_force(AutonomyPolicy)).document.grants
        self._admit(effect, await policies.of(effect.run_id).versions(), granted=granted)
        self._store.effects.pop(effect.key, None)
        return self._put(effect)

    async def begin(self, key: str, *, now: Moment) -> Effect:
        effect = self._one(key)
        check_can_begin(effect)
        if effect.status is not EffectStatus.RESERVED:
            return effect
        check_kill_switch(_controls(self._store), step=effect.step, compensates=effect.compensates)
        return self._put(moved(effect, EffectStatus.EXECUTING, now=now))

    async def commit(self, key: str, receipt: Receipt, events: Sequence[NewEvent]) -> Effect:
        effect = self._one(key)
        if effect.status in (EffectStatus.COMMITTED, EffectStatus.COMPENSATED):
            return effect
        done = moved(effect, EffectStatus.COMMITTED, now=receipt.at, receipt=receipt, error="")
        undone = self._one(effect.compensates) if effect.compensates else None
        self._store.append(events)
        self._judge(effect, ok=True, now=receipt.at)
        if undone is not None and undone.status is EffectStatus.COMMITTED:
            self._put(moved(undone, EffectStatus.COMPENSATED, now=receipt.at))
            self._release(undone)
        return self._put(done)

    async def settle(self, key: str, status: EffectStatus, *, error: str, now: Moment, system_fault: bool = True) -> Effect:
        if status not in (EffectStatus.FAILED, EffectStatus.UNKNOWN):
            raise InvalidInput(f"an effect is not settled as {status}", hint="commit it with its receipt")
        effect = self._one(key)
        if effect.status is status:
            return effect
        settled = self._put(moved(effect, status, now=now, error=error))
        if system_fault and called_outside(effect.status):
            self._judge(effect, ok=False, now=now)
        if status is EffectStatus.FAILED:
            self._release(effect)
        return settled

    async def effects(self, *, run_id: str = "", key: str = "", status: EffectStatus | None = None) -> list[Effect]:
        found = reversed(self._store.effects.values())
        return [e for e in found if run_id in ("", e.run_id) and key in ("", e.key) and status in (None, e.status)]

    def _admit(self, effect: Effect, policies: Mapping[str, int], *, granted: bool) -> None:
        """All checks first, then all changes."""
        controls = _controls(self._store)
        check_kill_switch(controls, step=effect.step, compensates=effect.compensates)
        if effect.compensates:
            return
        check_mode(controls, effect, granted=granted)
        check_policies(effect, policies)
        policy = _policy(self._store)
        check_order(self._ordered_since(effect))
        breaker = admitted(_breaker(self._store, effect.connector, effect.action.kind), policy, effect.reserved_at)
        wanted = charges(effect.action, run_id=effect.run_id, now=effect.reserved_at, policy=policy)
        currency = _currency(self._store)
        if sentence := uncounted(effect.action, currency=currency) or first_exceeded(wanted, self._store.usage):
            raise Refused(sentence, hint="the bound is in the policy bounds")
        self._store.breakers[effect.connector, effect.action.kind] = breaker
        self._use(effect, sign=1)

    def _ordered_since(self, effect: Effect) -> list[str]:
        order = effect.action
        if not isinstance(order, PlacePurchaseOrder) or order.planned_at_seq is None:
            return []
        others = [e.action for e in self._store.effects.values() if e.key != effect.key and e.status in UNDER_WAY]
        coming = {line.sku for o in others if isinstance(o, PlacePurchaseOrder) for line in o.purchase_order.lines}
        events = [load_event(e.type, e.data) for e in self._store.events[order.planned_at_seq :]]
        came = {data.sku for data in events if isinstance(data, StockOrdered) and data.units > 0}
        return sorted((coming | came) & {line.sku for line in order.purchase_order.lines})

    def _use(self, effect: Effect, *, sign: int) -> None:
        for charge in charges(effect.action, run_id=effect.run_id, now=effect.reserved_at, policy=BoundsPolicy()):
            key = (charge.scope, charge.bound)
            self._store.usage[key] = self._store.usage.get(key, Decimal(0)) + sign * charge.amount

    def _release(self, effect: Effect) -> None:
        if uses_bounds(effect):
            self._use(effect, sign=-1)

    def _judge(self, effect: Effect, *, ok: bool, now: Moment) -> None:
        breaker = _breaker(self._store, effect.connector, effect.action.kind)
        threshold = _policy(self._store).breaker_failures
        self._store.breakers[effect.connector, effect.action.kind] = breaker.after(ok=ok, now=now, threshold=threshold)

    def _one(self, key: str) -> Effect:
        if key not in self._store.effects:
            raise NotFound(f"there is no effect {key}", hint="reserve it first")
        return self._store.effects[key]

    def _put(self, effect: Effect) -> Effect:
        self._store.effects[effect.key] = effect
        return effect


class InMemoryGuards:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def exceeded(self, action: Action, *, run_id: str, now: Moment) -> str:
        wanted = charges(action, run_id=run_id, now=now, policy=_policy(self._store))
        return uncounted(action, currency=_currency(self._store)) or first_exceeded(wanted, self._store.usage)

    async def used(self, *, now: Moment) -> dict[Bound, tuple[Any, Any]]:
        limits = _policy(self._store).per_day
        scope = day_scope(now)
        used = {bound: self._store.usage.get((scope, bound), Decimal(0)) for bound in Bound}
        used[Bound.MODEL_MONEY] = spent_on(now.astimezone(UTC).date(), self._store)
        return {bound: (used[bound], limits.get(bound)) for bound in Bound}

    async def breaker(self, connector: str, action_kind: str) -> Breaker:
        return _breaker(self._store, connector, action_kind)

    async def breakers(self) -> list[Breaker]:
        return [breaker for _, breaker in sorted(self._store.breakers.items())]

    async def reset_breaker(self, connector: str, action_kind: str) -> None:
        self._store.breakers[connector, action_kind] = Breaker(connector=connector, action_kind=action_kind)


def _breaker(store: Store, connector: str, action_kind: str) -> Breaker:
    return store.breakers.get((connector, action_kind)) or Breaker(connector=connector, action_kind=action_kind)


def _currency(store: Store) -> str:
    state = store.states.get("shop/self")
    return Money.zero().currency if state is None else Shop.model_validate(state.body).currency


def _controls(store: Store) -> Controls | None:
    state = store.states.get("controls/self")
    return None if state is None else Controls.model_validate(state.body)


def _policy(store: Store) -> BoundsPolicy:
    state = store.states.get("policy/bounds")
    record = None if state is None else PolicyRecord.model_validate(state.body)
    return in_force(BoundsPolicy, record).document
