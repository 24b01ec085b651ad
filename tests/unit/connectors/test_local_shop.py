"""The order book refuses what a shop would refuse, and an import does not undo what was done here."""

from pathlib import Path

import pytest

from connectors.local_shop import LocalShop
from domain.actions import Action, CancelOrder, ChangeAddress, RefundOrder, ReinstateOrder
from domain.entities import Order, OrderStatus
from domain.errors import Permanent
from domain.money import Money
from tests.contract.outside_cases import HOME, NOW, order


def refund(amount: str, currency: str = "EUR") -> RefundOrder:
    return RefundOrder(order_id="1001", amount=Money.of(amount, currency), reason="broken")


async def shop(path: Path, status: OrderStatus = OrderStatus.PAID) -> LocalShop:
    book = LocalShop(path / "shop.db")
    await book.put_orders([order(status=status)])
    return book


async def do(book: LocalShop, action: Action, key: str) -> None:
    seen = (await book.preview(action)).record_version
    await book.execute(action, key=key, expected_version=seen, now=NOW)


@pytest.mark.parametrize("wrong", [refund("29.01"), refund("0"), refund("-5"), refund("5", "USD")], ids=lambda a: str(a.amount))
async def test_wrong_refunds(tmp_path: Path, wrong: RefundOrder) -> None:
    """More than was paid, nothing, less than nothing or another currency is refused."""
    book = await shop(tmp_path)
    with pytest.raises(Permanent):
        await book.execute(wrong, key="k", expected_version="1", now=NOW)


async def test_an_order_that_came_in_since_is_taken_into_the_book(tmp_path: Path) -> None:
    """When it is looked at; what was done to it in the book counts from then on."""
    came_in = {"1001": order()}

    async def order_of(order_id: str) -> Order | None:
        return came_in.get(order_id)

    book = LocalShop(tmp_path / "shop.db", order_of=order_of)
    await do(book, refund("5"), "k")
    assert (await book.preview(refund("5"))).before["refunds"][0]["amount"]["amount"] == "5"
    with pytest.raises(Permanent):
        await book.preview(RefundOrder(order_id="1002", amount=Money.of(1), reason="broken"))


async def test_refunds_add_up(tmp_path: Path) -> None:
    """Two refunds under two keys may use up the order's total but not pass it."""
    book = await shop(tmp_path)
    await do(book, refund("20"), "one")
    await do(book, refund("9"), "two")
    with pytest.raises(Permanent, match=r"left on order"):
        await book.preview(refund("0.01"))


@pytest.mark.parametrize("status", [OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.CANCELLED])
@pytest.mark.parametrize("action", [CancelOrder(order_id="1001", reason="wish"), ChangeAddress(order_id="1001", address=HOME)])
async def test_too_late(tmp_path: Path, status: OrderStatus, action: Action) -> None:
    """An order that has left the house, or is cancelled, is neither cancelled nor readdressed."""
    with pytest.raises(Permanent):
        await (await shop(tmp_path, status)).preview(action)


async def test_only_cancelled_orders_come_back(tmp_path: Path) -> None:
    """An order that is not cancelled cannot be reinstated."""
    with pytest.raises(Permanent):
        await (await shop(tmp_path)).preview(ReinstateOrder(order_id="1001", status=OrderStatus.PAID))


async def test_import_keeps_what_was_done_here(tmp_path: Path) -> None:
    """Importing the orders once more loses no refund, no cancellation and no new address."""
    book = await shop(tmp_path)
    await do(book, refund("5"), "refund")
    await do(book, ChangeAddress(order_id="1001", address=HOME.model_copy(update={"line1": "2 Elm"})), "move")
    await do(book, CancelOrder(order_id="1001", reason="wish"), "cancel")
    before = await book.snapshot()
    await book.put_orders([order()])
    assert await book.snapshot() == before


async def test_import_brings_news(tmp_path: Path) -> None:
    """An order that was not touched here is replaced, and its version moves only when something changed."""
    book = await shop(tmp_path)
    await book.put_orders([order()])
    cancel = CancelOrder(order_id="1001", reason="wish")
    assert (await book.preview(cancel)).record_version == "1"
    await book.put_orders([order(status=OrderStatus.SHIPPED)])
    assert (await book.snapshot())["orders"]["1001"]["status"] == "shipped"


async def test_not_an_order_book(tmp_path: Path) -> None:
    """A file that is no order book is refused with its path."""
    (tmp_path / "shop.db").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(Permanent, match=r"shop\.db"):
        await LocalShop(tmp_path / "shop.db").check()
