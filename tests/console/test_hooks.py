"""Where systems call us: what is taken, what is not, and that taking it means keeping it."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog

from activities.intake import Intake
from connectors.fakes import InMemorySource
from connectors.importers.report import ImportReport
from console.guard import MOST_BYTES
from domain.connections import Record, Webhook
from domain.entities import Order, OrderStatus, Ticket
from tests.console.hooks import NOW, Callers, callers
from tests.contract import shop_cases, signing
from tests.contract.pushing import orders
from tests.contract.woo_double import WooDouble


def nothing(raw: bytes, at: datetime) -> ImportReport:
    return ImportReport("records", 0, ())


class Fragile(InMemorySource):
    """It breaks on whatever it is sent."""

    def verify_webhook(self, request: Webhook) -> tuple[Record, ...]:
        raise KeyError(request.body.decode())


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Callers]:
    async with callers(tmp_path) as there:
        yield there


async def test_a_signed_call_is_an_order_at_once(shop: Callers) -> None:
    """Without a session, an origin or a token; and the same call again does nothing and is thanked for."""
    assert await shop.send(orders()) == 202
    order = await shop.kept.state.get(Order, "1001")
    assert order is not None
    assert (str(order.total), order.lines[0].units) == ("29.00 EUR", 2)
    events = await shop.kept.log.read()
    assert await shop.send(orders()) == 202
    assert await shop.kept.log.read() == events
    assert shop.bell.rung == ["shop", "shop"]


async def test_it_is_kept_before_it_is_answered(shop: Callers) -> None:
    """As it came, and whether or not anybody can be woken: the next reading finds it."""

    async def nobody(_connection: str) -> None:
        raise RuntimeError("no worker")

    shop.bell.reading = nobody
    assert await shop.send(orders()) == 202
    (waiting,) = await shop.kept.inbox.waiting("shop/orders")
    assert (waiting.raw, waiting.external_id) == (orders(), "msg_1")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,x"},
        signing.standard(orders(), at=NOW, key=b"another"),
    ],
    ids=["none", "nonsense", "another key"],
)
async def test_a_call_that_is_not_signed_is_refused(shop: Callers, headers: dict[str, str]) -> None:
    """And leaves nothing, whatever cookie or token comes with it."""
    assert await shop.send(orders(), headers=headers) == 401
    assert await shop.send(orders(), headers={**headers, "cookie": "steward=1", "authorization": "Bearer x"}) == 401
    assert await shop.kept.inbox.waiting("shop/orders") == []


async def test_an_old_call_is_refused_and_a_clock_that_is_a_little_off_is_not(shop: Callers) -> None:
    """A call that was overheard is worth nothing after five minutes."""
    overheard = signing.standard(orders(), at=shop.now)
    shop.later(timedelta(minutes=4))
    assert await shop.send(orders(), headers=overheard) == 202
    shop.later(timedelta(minutes=2))
    assert await shop.send(orders(), headers=overheard) == 401


async def test_nobody_learns_which_connections_there_are(shop: Callers) -> None:
    """Unknown, off, impossible, or one that is never called: the same answer."""
    shop.sources.by_name["silent"] = InMemorySource(normalise=nothing)
    answers = [await shop.client.post(f"/hooks/{name}", content=b"{}") for name in ("telex", "Sh%00op", "x" * 300, "silent")]
    assert {(a.status_code, a.text, tuple(sorted(a.headers.items()))) for a in answers} == {
        (404, "nobody is called here\n", tuple(sorted(answers[0].headers.items())))
    }


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "the body is not JSON"),
        (b"\xff\x00", "the body is not JSON"),
        (b"[" * 100_000, "the body is not JSON"),
        (b"{}", "type is not as described"),
        (b'{"type": "orders", "data": []}', "data"),
        (b'{"type": "orders", "data": [{}]}', "nothing in it"),
        (orders(units="many"), "record 1: units is not a number"),
        (orders(country=""), "record 1: country is empty"),
        (b'{"type": "refunds", "data": [{"id": 1}]}', "type is not as described"),
        (b'{"type": "sales", "data": [{"sku": {"a": 1}}]}', "data"),
    ],
)
async def test_a_signed_call_that_makes_no_sense_is_refused_with_the_reason(shop: Callers, body: bytes, told: str) -> None:
    """Its sender has to know; nothing of it is kept, and nothing of what it said is repeated."""
    answer = await shop.client.post("/hooks/shop", content=body, headers=dict(signing.standard(body, at=shop.now)))
    assert answer.status_code == 400
    assert told in answer.text
    assert "many" not in answer.text
    assert [s for s in ("orders", "sales") if await shop.kept.inbox.waiting(f"shop/{s}")] == []


async def test_a_call_that_is_too_large_is_refused(shop: Callers) -> None:
    """With an honest length and without."""
    body = b"x" * (MOST_BYTES + 1)

    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(12):
            yield body[: MOST_BYTES // 10]

    assert await shop.send(body) == 413
    assert (await shop.client.post("/hooks/shop", content=in_pieces())).status_code == 413


async def test_what_cannot_be_kept_now_is_sent_again_later(shop: Callers) -> None:
    """The database is away: that is not the sender's fault."""
    shop.shelf.away = True
    answer = await shop.client.post("/hooks/shop", content=orders(), headers=dict(signing.standard(orders(), at=shop.now)))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    shop.shelf.away = False
    assert await shop.send(orders()) == 202
    assert await shop.kept.state.get(Order, "1001") is not None


async def test_words_that_come_in_the_wrong_order_move_nothing_backwards(shop: Callers) -> None:
    """Delivered, then shipped, then paid: it stays delivered; and what was said late adds nothing."""
    for number, status in enumerate(("paid", "delivered", "shipped", "paid", "cancelled")):
        assert await shop.pushed(orders(status=status), f"msg_{number}") == 202
    order = await shop.kept.state.get(Order, "1001")
    assert order is not None
    assert order.status is OrderStatus.DELIVERED
    sales = [json.dumps({"type": "sales", "data": {"date": "2026-03-01", "sku": "MUG", "units": n}}).encode() for n in (5, 9, 7)]
    for number, body in enumerate(sales):
        await shop.pushed(body, f"sales_{number}")
    (row,) = await shop.kept.state.sales(since=order.placed_at.date(), until=order.placed_at.date())
    assert row.units == 9


async def test_messages_become_tickets_and_nobody_joins_anothers(shop: Callers) -> None:
    """Two of one conversation are one ticket; the same thread named by somebody else is another."""
    message = {
        "message_id": "m1",
        "sender": "ada@example.org",
        "body": "Where is it?\nIt is late.",
        "thread": "t1",
        "subject": "Late",
    }
    for number, changes in enumerate(
        ({}, {"message_id": "m2", "body": "Hello?"}, {"message_id": "m3", "sender": "eve@example.org"})
    ):
        body = json.dumps({"type": "tickets", "data": {**message, **changes}}).encode()
        assert await shop.pushed(body, f"t_{number}") == 202
    tickets = await shop.kept.state.find(Ticket)
    assert sorted((t.sender, len(t.messages)) for t in tickets) == [("ada@example.org", 2), ("eve@example.org", 1)]
    assert {t.source for t in tickets} == {"shop"}


async def test_too_many_calls_at_once_have_to_wait(shop: Callers) -> None:
    """And are let in again as time passes."""
    answers = [await shop.send(b"{}", headers={}) for _ in range(250)]
    assert (answers.count(401), answers.count(429)) == (240, 10)
    shop.later(timedelta(seconds=1))
    assert await shop.send(orders()) == 202


async def test_only_names_that_are_served_here_are_answered(shop: Callers) -> None:
    """And everywhere else a request still has to come from a page of the console."""
    signed = dict(signing.standard(orders(), at=shop.now))
    answer = await shop.client.post("/hooks/shop", content=orders(), headers={**signed, "host": "evil.example"})
    assert answer.status_code == 421
    assert (await shop.client.post("/inbox", content=orders(), headers=signed)).status_code == 403
    assert (await shop.client.post("/hooks/../inbox", content=orders(), headers=signed)).status_code in (403, 404)


async def test_nothing_of_a_call_is_in_the_logs(shop: Callers) -> None:
    """Neither of one that is refused nor of one that breaks its reader."""
    shop.sources.by_name["fragile"] = Fragile(normalise=nothing)
    secret = b'{"email": "ada@secret.example"}'
    with structlog.testing.capture_logs() as said:
        assert await shop.send(secret, "/hooks/fragile") == 400
        assert await shop.send(secret) == 400
        assert await shop.send(secret, headers={}) == 401
    assert len(said) == 4
    assert "secret.example" not in str(said)


async def test_a_woocommerce_shop_pings_first_and_calls_then(shop: Callers) -> None:
    """The ping is answered with 200 and wakes nobody; a call is an order at once; the same call again does nothing."""
    woo = shop_cases.woo("http://127.0.0.1:1", webhook_secret=shop_cases.WOO_SECRET).source
    assert woo is not None
    shop.sources.by_name["shop"] = woo

    async def understand(_connection: str) -> None:
        await Intake(inbox=shop.kept.inbox, log=shop.kept.log, state=shop.kept.state).understand("shop", woo, now=shop.now)

    shop.bell.reading = understand
    assert await shop.send(b"webhook_id=12", headers={}) == 200
    assert (await shop.kept.inbox.waiting("shop/orders"), shop.bell.rung) == ([], [])
    body = json.dumps(WooDouble().order(order_id=1001)).encode()
    signed = signing.woocommerce(body, secret=shop_cases.WOO_SECRET)
    assert await shop.send(body, headers=signed) == 202
    assert await shop.kept.state.get(Order, "1001") is not None
    events = await shop.kept.log.read()
    assert await shop.send(body, headers={**signed, "x-wc-webhook-delivery-id": "d2"}) == 202
    assert await shop.kept.log.read() == events
    assert await shop.send(body + b" ", headers=signed) == 401
    assert await shop.send(b"webhook_id=12", "/hooks/telex", headers={}) == 404
