"""Stripe's own ways of going wrong: keys that expire and clash, refunds that fail later, and amounts it counts in its own way."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

import memory
from activities.intake import Intake
from connectors.kinds import Opened
from connectors.stripe import KIND
from connectors.stripe_amounts import from_minor, to_minor
from domain.actions import Capability, Receipt, RefundOrder
from domain.connections import Webhook
from domain.entities import Order
from domain.errors import InvalidInput, NotSigned, Permanent, Retryable, Stale, Unknown
from domain.event import new_event
from domain.events import OrderPlaced
from domain.money import Money
from domain.runs import Alert, AlertLevel
from memory.fakes.shelves import InMemoryAttempts
from models.embedding import HashingEmbedder
from tests.contract import signing
from tests.contract.http_trouble import TROUBLE
from tests.contract.outside_cases import LATER, NOW, order
from tests.contract.scripted_http import Reply, as_json
from tests.contract.stripe_cases import SECRET, connected, dispute, failed, refund
from tests.contract.stripe_double import StripeDouble, raw, stripe_double

QUICK = {"seconds": 0.5, "max_bytes": 20_000}


@dataclass
class Shop:
    """A connected account, and what is known here."""

    double: StripeDouble
    attempts: InMemoryAttempts = field(default_factory=InMemoryAttempts)
    kept: memory.Memory = field(default_factory=lambda: memory.in_memory(embedder=HashingEmbedder()))

    def __post_init__(self) -> None:
        self.stripe: Opened = connected(self.double, self.attempts)
        self.payments = self.stripe.connectors[Capability.PAYMENTS]

    async def do(self, action: RefundOrder, key: str = "k", *, version: str = "") -> Receipt:
        seen = version or (await self.payments.preview(action)).record_version
        return await self.payments.execute(action, key=key, expected_version=seen, now=NOW)

    async def knows(self, **changes: Any) -> None:
        placed = OrderPlaced(order=order().model_copy(update={"payment_reference": "pi_1001", **changes}))
        await self.kept.log.append([new_event(placed, at=NOW, key=("1001",))])

    async def hear(self, event: dict[str, Any]) -> None:
        """The event, as Stripe sends it."""
        assert self.stripe.source is not None
        body = raw(event)
        call = Webhook(headers=signing.stripe(body, at=NOW, secret=SECRET), body=body, at=NOW)
        intake = Intake(inbox=self.kept.inbox, log=self.kept.log, state=self.kept.state)
        await intake.accept("stripe", self.stripe.source.verify_webhook(call), now=NOW)
        await intake.understand("stripe", self.stripe.source, now=NOW)

    async def order(self) -> Order:
        found = await self.kept.state.get(Order, "1001")
        assert found is not None
        return found

    async def alert(self, key: str) -> Alert:
        found = await self.kept.state.get(Alert, key)
        assert found is not None
        return found


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with stripe_double() as double:
        there = Shop(double)
        yield there
        await there.stripe.close()


REFUNDS, POST = "GET /v1/refunds", "POST /v1/refunds"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b"x" * 99, cut=True),
        as_json({"error": {"type": "api_error"}}, status=500),
        Reply(hang=True),
        Reply(drip=True),
        Reply(body=b"x" * 30_000),
        as_json({"id": "re_1", "object": "refund"}),
        Reply(body=b"<html>"),
    ],
    ids=["cut", "500", "hangs", "drips", "huge", "another shape", "no json"],
)
@pytest.mark.parametrize("happened", [True, False])
async def test_a_refund_whose_answer_is_lost_is_looked_for_and_made_once(shop: Shop, reply: Reply, happened: bool) -> None:
    """Unknown, then found or definitely not there, and one refund in the end."""
    shop.stripe = connected(shop.double, shop.attempts, **QUICK)
    shop.payments = shop.stripe.connectors[Capability.PAYMENTS]
    seen = (await shop.payments.preview(refund())).record_version
    shop.double.fail_next(reply, on=POST, after=happened)
    with pytest.raises(Unknown):
        await shop.do(refund(), version=seen)
    found = await shop.payments.find_receipt(refund(), key="k")
    assert (found is not None) is happened
    receipt = await shop.do(refund(), version=seen)
    assert found in (None, receipt)
    assert len(shop.double.refunds) == 1
    await shop.stripe.close()


@pytest.mark.parametrize(("reply", "reading", "writing"), [p for p in TROUBLE if p.id != "conflict"])
async def test_trouble_means_what_it_means_everywhere(
    shop: Shop, reply: Reply, reading: type[Exception], writing: type[Exception]
) -> None:
    """For a preview and for a refund."""
    shop.stripe = connected(shop.double, shop.attempts, seconds=0.5, max_bytes=1_500)
    shop.payments = shop.stripe.connectors[Capability.PAYMENTS]
    seen = (await shop.payments.preview(refund())).record_version
    shop.double.fail_next(reply)
    with pytest.raises(reading) as told:
        await shop.payments.preview(refund())
    assert type(told.value) is reading
    shop.double.fail_next(reply, on=POST)
    with pytest.raises(writing) as told:
        await shop.do(refund(), version=seen)
    assert type(told.value) is writing
    assert shop.double.refunds == []
    await shop.stripe.close()


@pytest.mark.parametrize(("refused", "code"), [("wrong", "401"), ("expired", "api_key_expired"), ("forbidden", "permissions")])
async def test_a_key_that_is_no_good_is_told_without_being_repeated(shop: Shop, refused: str, code: str) -> None:
    """Wrong, expired, or not allowed to do this."""
    shop.double.refused = refused
    for asked in (shop.payments.check(), shop.payments.preview(refund()), shop.payments.find_receipt(refund(), key="k")):
        with pytest.raises(Permanent, match=code) as told:
            await asked
        assert "rk_" not in str(told.value)
        assert "connect stripe" in told.value.hint


async def test_a_server_that_is_not_there_is_tried_later(shop: Shop) -> None:
    """Nothing can have happened."""
    shop.double.url = "http://127.0.0.1:1"
    away = Shop(shop.double)
    with pytest.raises(Retryable, match="cannot be reached"):
        await away.payments.preview(refund())
    await away.stripe.close()


async def test_a_key_that_stripe_forgot_does_not_make_a_second_refund(shop: Shop) -> None:
    """Idempotency keys are gone after a day; the refund itself remembers."""
    seen = (await shop.payments.preview(refund())).record_version
    first = await shop.do(refund(), version=seen)
    shop.double.now += 3 * 86_400
    shop.double.remembered.clear()
    assert await shop.do(refund(), version=seen) == first
    assert len(shop.double.refunds) == 1


async def test_a_repeat_is_the_same_request_to_the_letter(shop: Shop) -> None:
    """Days later and by another worker: what is sent under a key was written down, so Stripe knows it again."""
    seen = (await shop.payments.preview(refund())).record_version
    shop.double.fail_next(as_json({}, status=500), on=POST, after=True)
    with pytest.raises(Unknown):
        await shop.do(refund(), version=seen)
    hidden, shop.double.refunds = shop.double.refunds, []
    shop.double.charges["ch_1001"]["amount_refunded"] = 0
    other = Shop(shop.double, shop.attempts)
    receipt = await other.payments.execute(refund(), key="k", expected_version=seen, now=LATER)
    assert (receipt.reference, receipt.at) == (hidden[0]["id"], NOW)
    await other.stripe.close()


async def test_two_workers_at_once_make_one_refund(shop: Shop) -> None:
    """The one that comes second is told to come back, and then finds what the first did."""
    shop.double.delay = 0.2
    other = Shop(shop.double, shop.attempts)
    seen = (await shop.payments.preview(refund())).record_version
    done = await asyncio.gather(shop.do(refund(), version=seen), other.do(refund(), version=seen), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["Receipt", "Retryable"]
    assert await other.do(refund(), version=seen) in done
    assert len(shop.double.refunds) == 1
    await other.stripe.close()


async def test_a_key_that_was_used_for_something_else_is_told(shop: Shop) -> None:
    """By whatever else uses this account: 400, idempotency_error."""
    error = {"error": {"type": "idempotency_error", "message": "Keys can only be used with the same parameters"}}
    seen = (await shop.payments.preview(refund())).record_version
    shop.double.fail_next(as_json(error, status=400), on=POST)
    with pytest.raises(Permanent, match="idempotency_error"):
        await shop.do(refund(), version=seen)


async def test_partial_refunds_never_pass_what_was_paid(shop: Shop) -> None:
    """By cents, to the last one; then there is nothing left, and it says so."""
    for number, amount in enumerate(("10", "18.99", "0.01")):
        await shop.do(refund(amount), f"k{number}")
    with pytest.raises(Permanent, match="refunded in full already"):
        await shop.payments.preview(refund("0.01"))
    assert sum(r["amount"] for r in shop.double.refunds) == 2_900


async def test_a_refund_that_somebody_made_meanwhile_makes_it_stale(shop: Shop) -> None:
    """Before it is sent, or in the very moment: it is looked at again, and nothing is given twice."""
    seen = (await shop.payments.preview(refund("20"))).record_version
    shop.double.give_back("1001", 2_900)
    with pytest.raises(Stale):
        await shop.do(refund("20"), version=seen)
    seen = (await shop.payments.preview(refund("20", order_id="1002"))).record_version
    shop.double.meanwhile = lambda: shop.double.give_back("1002", 2_900)
    with pytest.raises(Stale):
        await shop.do(refund("20", order_id="1002"), version=seen)
    assert [r["amount"] for r in shop.double.refunds] == [2_900, 2_900]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"paid": False}, "never came to an end"),
        ({"captured": False}, "never came to an end"),
        ({"disputed": True}, "is disputed"),
        ({"currency": "usd"}, "was paid in USD"),
    ],
)
async def test_a_payment_that_cannot_be_given_back_is_refused_in_words(shop: Shop, change: dict[str, Any], told: str) -> None:
    """Before anybody is asked about it."""
    shop.double.charges["ch_1001"].update(change)
    with pytest.raises(Permanent, match=told):
        await shop.payments.preview(refund())


@pytest.mark.parametrize("reference", ["", "1001", "cus_1"])
async def test_an_order_without_a_payment_is_refused_and_says_what_to_do(shop: Shop, reference: str) -> None:
    """Nothing is asked at Stripe."""
    with pytest.raises(Permanent, match="payment_reference"):
        await shop.payments.preview(refund().model_copy(update={"payment_reference": reference}))
    assert shop.double.asked == []


async def test_a_charge_is_as_good_as_a_payment(shop: Shop) -> None:
    await shop.do(refund().model_copy(update={"payment_reference": "ch_1001"}))
    assert shop.double.charges["ch_1001"]["amount_refunded"] == 500


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("5.01", "EUR", 501), ("500", "JPY", 500), ("5", "ISK", 500), ("5", "UGX", 500), ("5.120", "KWD", 5_120), ("0.01", "USD", 1)],
)
async def test_amounts_are_counted_as_stripe_counts_them(shop: Shop, amount: str, currency: str, minor: int) -> None:
    """And back."""
    shop.double.pay("9", minor * 2, currency.lower())
    await shop.do(refund(amount, order_id="9", currency=currency))
    assert shop.double.refunds[0]["amount"] == minor
    assert from_minor(minor, currency.lower()) == Money.of(amount, currency)


@pytest.mark.parametrize(("amount", "currency"), [("5.005", "EUR"), ("5.5", "JPY"), ("5.5", "ISK"), ("5.123", "KWD")])
def test_an_amount_that_stripe_cannot_count_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(Permanent):
        to_minor(Money.of(amount, currency))


async def test_many_refunds_of_one_payment_are_all_looked_through(shop: Shop) -> None:
    """The one that is looked for is on the last page."""
    shop.double.pay("5", 100_000)
    first = await shop.do(refund("1", order_id="5"))
    for _ in range(250):
        shop.double.give_back("5", 1)
    assert await shop.payments.find_receipt(refund("1", order_id="5"), key="k") == first
    assert sum(asked.startswith(REFUNDS) for asked in shop.double.asked) == 4


async def test_a_refund_that_comes_to_nothing_is_none(shop: Shop) -> None:
    """At once or later: it is no receipt, and trying again says why."""
    shop.double.status = "failed"
    seen = (await shop.payments.preview(refund())).record_version
    for _ in range(2):
        with pytest.raises(Permanent, match="came to nothing"):
            await shop.do(refund(), version=seen)
    assert await shop.payments.find_receipt(refund(), key="k") is None


async def test_a_refund_that_fails_weeks_later_is_told_once(shop: Shop) -> None:
    """Stripe says it in three events; the operator hears it in one, with what to do."""
    await shop.knows()
    receipt = await shop.do(refund())
    told = failed(shop.double, receipt.reference, metadata=shop.double.refunds[0]["metadata"])
    for kind in ("refund.updated", "refund.failed", "charge.refund.updated"):
        await shop.hear(shop.double.happen(kind, told))
    alert = await shop.alert(f"refund/{receipt.reference}")
    assert (alert.level, alert.times) == (AlertLevel.URGENT, 1)
    assert "the refund of 5.00 EUR on order 1001 did not arrive (lost_or_stolen_card)" in alert.text


async def test_a_refund_that_was_made_at_stripe_is_on_the_order_and_ours_is_not_twice(shop: Shop) -> None:
    """Ours is put there by the ledger."""
    await shop.knows()
    await shop.do(refund())
    shop.double.give_back("1001", 700)
    for event in list(shop.double.events):
        await shop.hear(event)
        await shop.hear({**event, "id": f"{event['id']}a"})
    assert [(str(r.amount), r.refund_id) for r in (await shop.order()).refunds] == [("7.00 EUR", shop.double.refunds[0]["id"])]


async def test_a_refund_that_failed_is_not_made_by_what_comes_late(shop: Shop) -> None:
    """Its beginning arrives after its end."""
    await shop.knows()
    made = shop.double.give_back("1001", 700)
    (created,) = shop.double.events
    await shop.hear(shop.double.happen("refund.failed", failed(shop.double, made["id"], amount=700)))
    await shop.hear(created)
    assert (await shop.order()).refunds == ()


async def test_a_dispute_is_urgent_until_it_is_won(shop: Shop) -> None:
    """What is said of it late, or again, opens nothing any more."""
    await shop.knows(payment_reference="ch_1001")
    begins = shop.double.happen("charge.dispute.created", dispute("needs_response"))
    await shop.hear(begins)
    alert = await shop.alert("dispute/dp_1")
    assert (alert.open, alert.level) == (True, AlertLevel.URGENT)
    assert "29.00 EUR for order 1001 (product_not_received)" in alert.text
    await shop.hear(shop.double.happen("charge.dispute.closed", dispute("won")))
    await shop.hear({**begins, "id": "evt_again"})
    assert not (await shop.alert("dispute/dp_1")).open


async def test_events_that_nobody_asked_for_are_taken_and_not_kept(shop: Shop) -> None:
    """So that Stripe does not send them again and again."""
    await shop.hear(shop.double.happen("customer.created", {"id": "cus_1"}))
    assert await shop.kept.inbox.waiting("stripe/events") == []
    assert await shop.kept.log.read() == []


async def test_what_was_called_and_what_is_read_is_the_same_event(shop: Shop) -> None:
    """Heard by both ways, it counts once; a cursor that Stripe has forgotten begins anew."""
    assert shop.stripe.source is not None
    event = shop.double.happen("refund.failed", failed(shop.double, "re_9"))
    await shop.hear(event)
    page = await shop.stripe.source.read("events", "", now=NOW)
    again = await shop.stripe.source.read("events", "evt_forgotten", now=NOW)
    assert [r.external_id for r in page.records] == [event["id"]] == [r.external_id for r in again.records]
    assert not await shop.kept.inbox.receive("stripe/events", event["id"], b"", at=NOW)


async def test_a_thousand_events_are_read_from_the_oldest_on(shop: Shop) -> None:
    """In pages, when something was missed for long; and what is older than the day of connecting is left."""
    assert shop.stripe.source is not None
    shop.double.happen("refund.failed", failed(shop.double, "re_0"), at=int((NOW - timedelta(days=3)).timestamp()))
    ids = [shop.double.happen("refund.failed", failed(shop.double, f"re_{n}"))["id"] for n in range(250)]
    first = await shop.stripe.source.read("events", "", now=NOW)
    assert [r.external_id for r in first.records] == ids
    ids = [shop.double.happen("refund.failed", failed(shop.double, f"re_{n}"))["id"] for n in range(150)]
    second = await shop.stripe.source.read("events", first.cursor, now=NOW)
    third = await shop.stripe.source.read("events", second.cursor, now=NOW)
    assert ([r.external_id for r in (*second.records, *third.records)], second.more, third.more) == (ids, True, False)


async def test_a_clock_that_is_off_refuses_calls_but_loses_nothing(shop: Shop) -> None:
    """What was refused is read."""
    assert shop.stripe.source is not None
    event = shop.double.happen("refund.failed", failed(shop.double, "re_9"))
    body = raw(event)
    late = Webhook(headers=signing.stripe(body, at=NOW, secret=SECRET), body=body, at=NOW + timedelta(minutes=9))
    with pytest.raises(NotSigned):
        shop.stripe.source.verify_webhook(late)
    assert [r.external_id for r in (await shop.stripe.source.read("events", "", now=NOW)).records] == [event["id"]]


def test_keys_of_another_kind_are_refused_without_being_repeated() -> None:
    """A publishable key, or two keys exchanged."""
    for given in ({"api_key": "pk_live_1"}, {"api_key": "whsec_1"}, {"api_key": "rk_1", "webhook_secret": "rk_1"}):
        with pytest.raises(InvalidInput) as told:
            KIND.checked(given)
        assert "live" not in str(told.value)
    assert KIND.checked({"api_key": " rk_1 "})["api_key"] == "rk_1"
