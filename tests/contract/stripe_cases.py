"""Stripe as a case of the contracts: over its double, through the official SDK and real HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

import memory
from connectors.kinds import Opened, Opening
from connectors.stripe import EVENTS, KIND, opened
from domain.actions import Capability, RefundOrder
from domain.money import Money
from domain.ports import Attempts, Source
from domain.runs import Alert
from memory.fakes.shelves import InMemoryAttempts
from tests.contract import signing
from tests.contract.every_called_source import CalledCase
from tests.contract.every_source import SourceCase
from tests.contract.outside_cases import NOW, Case, page
from tests.contract.stripe_double import KEY, StripeDouble, raw, stripe_double

SECRET = "whsec_of-the-double"


def refund(amount: str = "5", *, order_id: str = "1001", reason: str = "broken", currency: str = "EUR") -> RefundOrder:
    return RefundOrder(order_id=order_id, amount=Money.of(amount, currency), reason=reason, payment_reference=f"pi_{order_id}")


def connected(double: StripeDouble, attempts: Attempts | None = None, **limits: Any) -> Opened:
    """As the connection ``stripe`` is opened, with another address."""
    secrets = {"api_key": SecretStr(KEY), "webhook_secret": SecretStr(SECRET)}
    settings = KIND.checked({"api_key": KEY, "since": NOW.date().isoformat()})
    opening = Opening(
        name="stripe", settings=settings, secrets=secrets, folder=Path("/nowhere"), attempts=attempts or InMemoryAttempts()
    )
    return opened(opening, base_url=double.url, **limits)


@asynccontextmanager
async def refunding(_home: Path) -> AsyncIterator[Case]:
    async with stripe_double() as double:
        stripe = connected(double)
        connector = stripe.connectors[Capability.PAYMENTS]

        async def count() -> int:
            return len(double.refunds)

        yield Case(connector, refund(), refund(reason="late"), refund("29.01"), page(), count)
        await stripe.close()


@asynccontextmanager
async def reading(_home: Path) -> AsyncIterator[SourceCase]:
    async with stripe_double() as double:
        stripe = connected(double)
        assert stripe.source is not None

        async def arrive(many: int) -> None:
            for _ in range(many):
                double.happen("refund.failed", failed(double, f"re_{next(double.numbers):06}"))

        yield SourceCase(stripe.source, EVENTS, arrive)
        await stripe.close()


def failed(double: StripeDouble, name: str, **changes: Any) -> dict[str, Any]:
    told = {"id": name, "object": "refund", "amount": 500, "currency": "eur", "charge": "ch_1001", "payment_intent": "pi_1001"}
    return {**told, "status": "failed", "failure_reason": "lost_or_stolen_card", "created": double.now, "metadata": {}, **changes}


def dispute(status: str) -> dict[str, Any]:
    told = {"id": "dp_1", "object": "dispute", "amount": 2_900, "currency": "eur", "charge": "ch_1001", "payment_intent": "pi_1001"}
    more: dict[str, Any] = {"balance_transactions": [], "enhanced_eligibility_types": [], "evidence": {}, "evidence_details": {}}
    made = {"created": int(NOW.timestamp()), "livemode": False, "metadata": {}, "is_charge_refundable": False}
    return {**told, **more, **made, "status": status, "reason": "product_not_received"}


def called() -> CalledCase:
    """A dispute from its beginning to its loss."""
    double = StripeDouble()
    begins = double.happen("charge.dispute.created", dispute("needs_response"))
    ends = double.happen("charge.dispute.closed", dispute("lost"))

    async def state(kept: memory.Memory) -> object:
        alert = await kept.state.get(Alert, "dispute/dp_1")
        return alert and (alert.open, alert.text, alert.level)

    return CalledCase(_source(), lambda body, at: signing.stripe(body, at=at, secret=SECRET), (raw(begins), raw(ends)), state)


def _source() -> Source:
    """Nothing is called while a call is checked."""
    source = connected(StripeDouble(url="http://127.0.0.1:1")).source
    assert source is not None
    return source
