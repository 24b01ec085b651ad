"""The order book and the stock of a shop that has no shop system connected: one SQLite file, one transaction an effect."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from connectors.order_rules import ShopAction, changed, order_diff, shop_action, stock_diff
from domain.actions import Action, AdjustStock, Capability, Receipt
from domain.decisions import Diff
from domain.entities import Order, OrderStatus
from domain.errors import EffectError, Permanent, Retryable, Stale, Unknown
from domain.ids import canonical_json, derived_id
from domain.wording import counted

OrderOf = Callable[[str], Awaitable[Order | None]]
_BUSY_SECONDS = 10.0
_SCHEMA = 2  # the number that schema.sql leaves in a file
_PASSING = {"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_NOMEM", "SQLITE_PROTOCOL"}


class LocalShop:
    """Orders and stock at ``path``. The effect and its key are committed together, so a repeat finds its own receipt.

    ``order_of`` gives an order that came in since the book was filled, by whatever way it came.
    """

    name = "local-shop"
    capability = Capability.SHOP

    def __init__(self, path: Path, *, order_of: OrderOf | None = None) -> None:
        self._path = path
        self._order_of = order_of

    async def check(self) -> str:
        return await asyncio.to_thread(self._check)

    async def preview(self, action: Action) -> Diff:
        wanted = shop_action(action)
        if not isinstance(wanted, AdjustStock):
            await self._take_in(wanted.order_id)
        return await asyncio.to_thread(self._preview, wanted)

    async def units(self, sku: str) -> int:
        return await asyncio.to_thread(self._units, sku)

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        return await asyncio.to_thread(self._execute, shop_action(action), key, expected_version, now)

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        return await asyncio.to_thread(self._find_receipt, action, key)

    async def put_orders(self, orders: Sequence[Order]) -> None:
        """Insert or update ``orders``. What was refunded, cancelled or readdressed through here stays so."""
        await asyncio.to_thread(self._put_orders, orders)

    async def put_stock(self, units: Mapping[str, int]) -> None:
        """Set what is there of each SKU."""
        await asyncio.to_thread(self._put_stock, units)

    async def snapshot(self) -> dict[str, Any]:
        """Every order by id and the units by SKU, as JSON: the outside state without its bookkeeping."""
        return await asyncio.to_thread(self._snapshot)

    async def _take_in(self, order_id: str) -> None:
        """Only where the book has no such order: it knows better what was done here."""
        if self._order_of is None or await asyncio.to_thread(self._has, order_id):
            return
        order = await self._order_of(order_id)
        if order is not None:
            await self.put_orders([order])

    def _has(self, order_id: str) -> bool:
        with self._transaction("read the order book") as connection:
            return connection.execute(_sql("order"), {"id": order_id}).fetchone() is not None

    def _check(self) -> str:
        with self._transaction("open the order book") as connection:
            (count,) = connection.execute(_sql("count")).fetchone()
        return f"{counted(count, 'order')} in {self._path}"

    def _preview(self, action: ShopAction) -> Diff:
        with self._transaction("read the order book") as connection:
            if isinstance(action, AdjustStock):
                units, version = _read_stock(connection, action.sku)
                return stock_diff(action, units, str(version))
            order, version = _read(connection, action.order_id)
            return order_diff(action, order, str(version))

    def _units(self, sku: str) -> int:
        with self._transaction("read the stock") as connection:
            return _read_stock(connection, sku)[0]

    def _execute(self, action: ShopAction, key: str, expected_version: str, now: datetime) -> Receipt:
        with self._transaction(f"change {action.stream}") as connection:
            if receipt := _receipt(connection, action, key):
                return receipt
            version = _version(connection, action)
            if str(version) != expected_version:
                raise Stale(f"{action.stream} is at version {version}, not {expected_version or 'known'}")
            receipt = Receipt(reference=str(derived_id(self.name, key)), at=now, detail={"version": version + 1})
            _apply(connection, action, receipt)
            _record(connection, action, key, receipt)
            return receipt

    def _find_receipt(self, action: Action, key: str) -> Receipt | None:
        with self._transaction("read the order book", fallback=Retryable) as connection:
            return _receipt(connection, action, key)

    def _put_orders(self, orders: Sequence[Order]) -> None:
        with self._transaction("fill the order book") as connection:
            for order in orders:
                _write(connection, _merged(connection, order))

    def _put_stock(self, units: Mapping[str, int]) -> None:
        with self._transaction("fill the stock") as connection:
            for sku, there in units.items():
                connection.execute(_sql("put_stock"), {"sku": sku, "units": there})

    def _snapshot(self) -> dict[str, Any]:
        with self._transaction("read the order book") as connection:
            orders = [json.loads(body) for (body,) in connection.execute(_sql("orders"))]
            stock = dict(connection.execute(_sql("stocks")))
        return {"orders": {order["order_id"]: order for order in orders}, "stock": stock}

    @contextmanager
    def _transaction(self, doing: str, *, fallback: type[EffectError] = Permanent) -> Iterator[sqlite3.Connection]:
        """One transaction that holds the write lock from its start, so that what it read is what it changes."""
        try:
            with closing(self._connect()) as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    connection.rollback()
                    raise
                _commit(connection, doing)
        except (sqlite3.Error, OSError) as error:
            raise _translated(error, f"could not {doing} ({self._path})", fallback) from error

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        if connection.execute("PRAGMA user_version").fetchone() != (_SCHEMA,):
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_sql("schema"))
        return connection


def _read(connection: sqlite3.Connection, order_id: str) -> tuple[Order, int]:
    row = connection.execute(_sql("order"), {"id": order_id}).fetchone()
    if row is None:
        raise Permanent(f"there is no order {order_id} in the order book", hint="import the orders first")
    return Order.model_validate_json(row[0]), int(row[1])


def _read_stock(connection: sqlite3.Connection, sku: str) -> tuple[int, int]:
    row = connection.execute(_sql("stock"), {"sku": sku}).fetchone()
    if row is None:
        raise Permanent(f"nobody has said how many of {sku} are there", hint="import the catalogue with its stock first")
    return int(row[0]), int(row[1])


def _version(connection: sqlite3.Connection, action: ShopAction) -> int:
    if isinstance(action, AdjustStock):
        return _read_stock(connection, action.sku)[1]
    return _read(connection, action.order_id)[1]


def _apply(connection: sqlite3.Connection, action: ShopAction, receipt: Receipt) -> None:
    if isinstance(action, AdjustStock):
        units, version = _read_stock(connection, action.sku)
        after = stock_diff(action, units, str(version)).after["on_hand"]
        connection.execute(_sql("put_stock"), {"sku": action.sku, "units": after})
        return
    order, _ = _read(connection, action.order_id)
    _write(connection, changed(order, action, reference=receipt.reference, at=receipt.at))


def _write(connection: sqlite3.Connection, order: Order) -> None:
    connection.execute(_sql("put_order"), {"id": order.order_id, "body": canonical_json(order)})


def _receipt(connection: sqlite3.Connection, action: Action, key: str) -> Receipt | None:
    row = connection.execute(_sql("effect"), {"key": key}).fetchone()
    if row is None:
        return None
    if row[0] != action.digest():
        raise Permanent(f"the key {key} was used for another action")
    return Receipt(reference=row[1], at=datetime.fromisoformat(row[2]), detail=json.loads(row[3]))


def _record(connection: sqlite3.Connection, action: ShopAction, key: str, receipt: Receipt) -> None:
    what = {
        "key": key,
        "digest": action.digest(),
        "kind": action.kind,
        "order_id": "" if isinstance(action, AdjustStock) else action.order_id,
    }
    how = {"reference": receipt.reference, "at": receipt.at.isoformat(), "detail": json.dumps(receipt.detail)}
    connection.execute(_sql("put_effect"), what | how)


def _merged(connection: sqlite3.Connection, order: Order) -> Order:
    """``order`` as it arrives, with what was done to it here: an import does not know of that."""
    kinds = {kind for (kind,) in connection.execute(_sql("effect_kinds"), {"id": order.order_id})}
    if not kinds:
        return order
    known, _ = _read(connection, order.order_id)
    arrived = {refund.refund_id for refund in order.refunds}
    kept: dict[str, Any] = {"refunds": (*order.refunds, *(r for r in known.refunds if r.refund_id not in arrived))}
    if order.status is OrderStatus.PAID and known.status is OrderStatus.CANCELLED:
        kept["status"] = known.status
    if "change-address" in kinds:
        kept["ship_to"] = known.ship_to
    return order.model_copy(update=kept)


def _commit(connection: sqlite3.Connection, doing: str) -> None:
    try:
        connection.commit()
    except sqlite3.Error as error:
        connection.rollback()
        raise Unknown(f"could not {doing}: the commit failed ({error})", hint="reconcile it before it is repeated") from error


def _translated(error: sqlite3.Error | OSError, doing: str, fallback: type[EffectError]) -> EffectError:
    name = getattr(error, "sqlite_errorname", "")
    if any(name.startswith(passing) for passing in _PASSING):
        return Retryable(f"{doing}: {error}", hint="it is tried again by itself; make room if the disk is full")
    return fallback(f"{doing}: {error}", hint="check that the file is an order book and may be written")


@cache
def _sql(name: str) -> str:
    return (Path(__file__).parent / "sql" / "local_shop" / f"{name}.sql").read_text()
