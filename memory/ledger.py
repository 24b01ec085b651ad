"""The effect ledger on Postgres.

Locks are taken in one order everywhere, so that no two transactions wait for each other: effects by key, the head of
the chain, the switch, breakers, bounds.
"""

from collections.abc import Sequence
from typing import Any

from domain.actions import PlacePurchaseOrder, Receipt
from domain.effects import Breaker, Effect, EffectStatus, Reservation
from domain.errors import InvalidInput, NotFound, Refused
from domain.event import NewEvent
from domain.model import Moment
from domain.policies import BoundsPolicy
from memory import guards
from memory.append import append
from memory.bounds import charges, first_exceeded, uncounted
from memory.database import Connection, Database, execute, fetch, json_of
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
from memory.timeline import Appended


class PostgresLedger:
    """See ``ports.Ledger``. ``appended`` is told the events of a commit once it is done."""

    def __init__(self, database: Database, *, appended: Appended) -> None:
        self._database = database
        self._appended = appended

    async def reserve(self, reservation: Reservation, *, connector: str) -> Effect:
        async with self._database.transaction() as connection:
            effect = new_effect(reservation, connector=connector)
            inserted = await fetch(connection, "insert_effect", _columns(effect))
            if not inserted:
                known = await _locked(connection, reservation.key)
                check_same_effect(known, reservation)
                if known.status is not EffectStatus.FAILED:
                    return known
                await fetch(connection, "reserve_again", _columns(effect))
            await _admit(connection, effect, class_key=reservation.class_key)
            return effect

    async def begin(self, key: str, *, now: Moment) -> Effect:
        """Also raises Unknown where the effect was begun before: its fate has to be looked up.

        One that is committed or compensated already is returned as it stands.
        """
        async with self._database.transaction() as connection:
            effect = await _locked(connection, key)
            check_can_begin(effect)
            if effect.status is not EffectStatus.RESERVED:
                return effect
            controls = await guards.read_controls(connection)
            check_kill_switch(controls, step=effect.step, compensates=effect.compensates)
            return await _store(connection, moved(effect, EffectStatus.EXECUTING, now=now))

    async def commit(self, key: str, receipt: Receipt, events: Sequence[NewEvent]) -> Effect:
        async with self._database.transaction() as connection:
            effect = await _locked(connection, key)
            if effect.status in (EffectStatus.COMMITTED, EffectStatus.COMPENSATED):
                return effect
            done = moved(effect, EffectStatus.COMMITTED, now=receipt.at, receipt=receipt, error="")
            undone = await _lock_compensated(connection, effect)
            stored = await append(connection, events)
            await _store(connection, done)
            await _judge_connector(connection, effect, ok=True, now=receipt.at)
            if undone is not None:
                await _store(connection, moved(undone, EffectStatus.COMPENSATED, now=receipt.at))
                await _release(connection, undone)
        self._appended(stored)
        return done

    async def settle(self, key: str, status: EffectStatus, *, error: str, now: Moment, system_fault: bool = True) -> Effect:
        """Repeating it changes nothing. Raises InvalidInput for another status than failed or unknown."""
        if status not in (EffectStatus.FAILED, EffectStatus.UNKNOWN):
            raise InvalidInput(f"an effect is not settled as {status}", hint="commit it with its receipt")
        async with self._database.transaction() as connection:
            effect = await _locked(connection, key)
            if effect.status is status:
                return effect
            settled = await _store(connection, moved(effect, status, now=now, error=error))
            if system_fault and called_outside(effect.status):
                await _judge_connector(connection, effect, ok=False, now=now)
            if status is EffectStatus.FAILED:
                await _release(connection, effect)
            return settled

    async def effects(self, *, run_id: str = "", key: str = "", status: EffectStatus | None = None) -> list[Effect]:
        rows = await self._database.rows("list_effects", run_id=run_id, key=key, status=status.value if status else "")
        return [_effect(row) for row in rows]


async def _admit(connection: Connection, effect: Effect, *, class_key: str) -> None:
    """Kill switch, mode, policies, breaker and bounds, in this order. Raises Refused or Stale, which rolls everything back."""
    controls = await guards.read_controls(connection)
    check_kill_switch(controls, step=effect.step, compensates=effect.compensates)
    if effect.compensates:
        return
    check_mode(controls, effect, granted=class_key in await guards.read_grants(connection))
    check_policies(effect, await guards.read_policy_versions(connection, effect.run_id))
    policy = await guards.read_bounds_policy(connection)
    breaker = await guards.lock_breaker(connection, effect.connector, effect.action.kind)
    check_order(await _ordered_since(connection, effect))
    await guards.write_breaker(connection, admitted(breaker, policy, effect.reserved_at))
    await _charge(connection, effect, policy)


async def _ordered_since(connection: Connection, effect: Effect) -> list[str]:
    """SKUs that others ordered or are ordering since ``effect`` was planned. The breaker, held, lets one order in at a time."""
    order = effect.action
    if not isinstance(order, PlacePurchaseOrder) or order.planned_at_seq is None:
        return []
    skus = [line.sku for line in order.purchase_order.lines]
    since = {"seq": order.planned_at_seq, "streams": [f"stock/{sku}" for sku in skus]}
    return [row["sku"] for row in await fetch(connection, "ordered_since", {"key": effect.key, "skus": skus} | since)]


async def _charge(connection: Connection, effect: Effect, policy: BoundsPolicy) -> None:
    """Take first, look then: the row stays locked until the transaction ends, so nobody else reads it in between."""
    if sentence := uncounted(effect.action, currency=await guards.read_currency(connection)):
        raise Refused(sentence, hint="do it yourself in the outside system; `steward shop` shows the shop's currency")
    wanted = charges(effect.action, run_id=effect.run_id, now=effect.reserved_at, policy=policy)
    if not wanted:
        return
    used = await guards.lock_usage(connection, wanted)
    if sentence := first_exceeded(wanted, used):
        raise Refused(sentence, hint="`steward inbox` shows what waits; the bound is in the policy bounds")
    await guards.add_usage(connection, wanted)


async def _release(connection: Connection, effect: Effect) -> None:
    """Give back what ``effect`` (as it was before it ended) used."""
    if not uses_bounds(effect):
        return
    wanted = charges(effect.action, run_id=effect.run_id, now=effect.reserved_at, policy=BoundsPolicy())
    await guards.lock_usage(connection, wanted)
    await guards.add_usage(connection, wanted, sign=-1)


async def _lock_compensated(connection: Connection, effect: Effect) -> Effect | None:
    """The effect this one undoes, if it stands: a second compensation of the same effect undoes nothing more."""
    if not effect.compensates:
        return None
    undone = await _locked(connection, effect.compensates)
    return undone if undone.status is EffectStatus.COMMITTED else None


async def _judge_connector(connection: Connection, effect: Effect, *, ok: bool, now: Moment) -> None:
    policy = await guards.read_bounds_policy(connection)
    breaker: Breaker = await guards.lock_breaker(connection, effect.connector, effect.action.kind)
    await guards.write_breaker(connection, breaker.after(ok=ok, now=now, threshold=policy.breaker_failures))


async def _locked(connection: Connection, key: str) -> Effect:
    """Locked until the transaction ends. Raises NotFound."""
    rows = await fetch(connection, "lock_effect", {"key": key})
    if not rows:
        raise NotFound(f"there is no effect {key}", hint="reserve it first")
    return _effect(rows[0])


async def _store(connection: Connection, effect: Effect) -> Effect:
    await execute(connection, "update_effect", _columns(effect))
    return effect


def _columns(effect: Effect) -> dict[str, Any]:
    plain = effect.model_dump(mode="json", include={"action", "diff", "policy_versions", "receipt"})
    bodies = {name: None if body is None else json_of(body) for name, body in plain.items()}
    return dict(effect) | bodies | {"status": effect.status.value}


def _effect(row: dict[str, Any]) -> Effect:
    return Effect.model_validate({name: row[name] for name in Effect.model_fields})
