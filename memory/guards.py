"""What is looked at before an effect is reserved: the switches, breakers and bounds, on Postgres."""

from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any, Literal

from domain.actions import Action, Bound
from domain.effects import Breaker
from domain.entities import Shop
from domain.model import Moment
from domain.money import Money
from domain.policies import AutonomyPolicy, BoundsPolicy, PolicyRecord
from domain.runs import Controls
from memory.bounds import Charge, Scope, charges, day_scope, first_exceeded, uncounted
from memory.database import Connection, Database, Transaction, execute, fetch
from memory.policies import NAME_OF, StatePolicies, in_force
from memory.state import PostgresState


class PostgresGuards:
    """See ``ports.Guards``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def exceeded(self, action: Action, *, run_id: str, now: Moment) -> str:
        async with self._database.transaction() as connection:
            policy = await read_bounds_policy(connection)
            wanted = charges(action, run_id=run_id, now=now, policy=policy)
            used = await _usage(connection, {charge.scope for charge in wanted})
            return uncounted(action, currency=await read_currency(connection)) or first_exceeded(wanted, used)

    async def used(self, *, now: Moment) -> dict[Bound, tuple[Any, Any]]:
        async with self._database.transaction() as connection:
            limits = (await read_bounds_policy(connection)).per_day
            scope = day_scope(now)
            used = {bound: amount for (_, bound), amount in (await _usage(connection, {scope})).items()}
            used[Bound.MODEL_MONEY] = await read_model_spend(connection, now)
            return {bound: (used.get(bound, Decimal(0)), limits.get(bound)) for bound in Bound}

    async def breaker(self, connector: str, action_kind: str) -> Breaker:
        row = await self._database.row("get_breaker", connector=connector, action_kind=action_kind)
        return Breaker(connector=connector, action_kind=action_kind) if row is None else Breaker.model_validate(row)

    async def breakers(self) -> list[Breaker]:
        return [Breaker.model_validate(row) for row in await self._database.rows("list_breakers")]

    async def reset_breaker(self, connector: str, action_kind: str) -> None:
        async with self._database.transaction() as connection:
            await lock_breaker(connection, connector, action_kind)
            await write_breaker(connection, Breaker(connector=connector, action_kind=action_kind))


async def read_controls(connection: Connection) -> Controls | None:
    """The switches, held together with the policies: what changes them waits until this transaction ends, or this one waits."""
    await fetch(connection, "hold_controls")
    rows = await fetch(connection, "get_state", {"kind": "controls", "id": "self"})
    return Controls.model_validate(rows[0]["body"]) if rows else None


async def read_policy_versions(connection: Connection, run_id: str) -> dict[str, int]:
    """The versions that the run goes by. Read them after the switches, which hold them too."""
    return await StatePolicies(PostgresState(Transaction(connection))).of(run_id).versions()


async def read_grants(connection: Connection) -> frozenset[str]:
    """The classes of actions that may act without asking."""
    policies = StatePolicies(PostgresState(Transaction(connection)))
    return frozenset((await policies.in_force(AutonomyPolicy)).document.grants)


async def read_bounds_policy(connection: Connection) -> BoundsPolicy:
    rows = await fetch(connection, "get_state", {"kind": "policy", "id": NAME_OF[BoundsPolicy]})
    record = PolicyRecord.model_validate(rows[0]["body"]) if rows else None
    return in_force(BoundsPolicy, record).document


async def read_currency(connection: Connection) -> str:
    """The shop's."""
    shop = await PostgresState(Transaction(connection)).get(Shop, "self")
    return shop.currency if shop else Money.zero().currency


async def read_model_spend(connection: Connection, now: Moment) -> Decimal:
    (row,) = await fetch(connection, "model_spend", {"day": now.astimezone(UTC).date()})
    return Decimal(row["spent"])


async def lock_breaker(connection: Connection, connector: str, action_kind: str) -> Breaker:
    """The breaker, made where there is none, locked until the transaction ends."""
    (row,) = await fetch(connection, "lock_breaker", {"connector": connector, "action_kind": action_kind})
    return Breaker.model_validate(row)


async def write_breaker(connection: Connection, breaker: Breaker) -> None:
    await execute(connection, "write_breaker", dict(breaker) | {"state": breaker.state.value})


async def lock_usage(connection: Connection, wanted: Sequence[Charge]) -> dict[tuple[Scope, Bound], Decimal]:
    """What is used of the bounds of ``wanted``; the rows are made where missing and locked in their order."""
    keys = {"scopes": [c.scope for c in wanted], "bounds": [c.bound.value for c in wanted]}
    return {(row["scope"], Bound(row["bound"])): row["used"] for row in await fetch(connection, "lock_usage", keys)}


async def add_usage(connection: Connection, wanted: Sequence[Charge], *, sign: Literal[1, -1] = 1) -> None:
    columns = {
        "scopes": [c.scope for c in wanted],
        "bounds": [c.bound.value for c in wanted],
        "amounts": [sign * c.amount for c in wanted],
    }
    await execute(connection, "add_usage", columns)


async def _usage(connection: Connection, scopes: set[Scope]) -> dict[tuple[Scope, Bound], Decimal]:
    rows = await fetch(connection, "read_usage", {"scopes": sorted(scopes)})
    return {(row["scope"], Bound(row["bound"])): row["used"] for row in rows}
