"""Stripe: gives money back, and tells what became of it. See ``stripe_account`` for calls, ``stripe_events`` for what comes in."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

from connectors import stripe_events
from connectors.dropped import start_of
from connectors.importers.report import ImportReport
from connectors.kinds import Kind, Opened, Opening, Setting, day
from connectors.reading import ReadingSource
from connectors.stripe_account import BASE_URL, Charge, Refund, StripeAccount
from connectors.stripe_amounts import from_minor, to_minor
from connectors.stripe_events import ACTION, EFFECT, MOMENT, TYPES
from connectors.webhooks import check_stripe
from domain.actions import Action, Capability, Receipt, RefundOrder
from domain.attempts import Attempt
from domain.connections import Delivery, Page, Reading, Record, Webhook
from domain.decisions import Diff
from domain.errors import InvalidInput, NotFound, Permanent, Stale
from domain.ids import derived_id
from domain.ports import Attempts, State

EVENTS = "events"
_KEPT = timedelta(days=29)  # Stripe lists events for thirty days
_MOST_PAGES = 50


class StripePayments:
    """Refunds of what was paid through Stripe. See ``ports.Connector``.

    The refund carries the effect's key in its metadata, by which it is found for ever; Stripe's own idempotency key, which it
    forgets after a day, keeps two calls at once from becoming two refunds. What is sent under a key is written down first,
    because a repeat has to be the same request to the letter.
    """

    capability = Capability.PAYMENTS

    def __init__(self, account: StripeAccount, attempts: Attempts) -> None:
        self.name = account.name
        self._account = account
        self._attempts = attempts
        self._busy: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def check(self) -> str:
        await self._account.events(TYPES, limit=1)
        return "Stripe answers"

    async def preview(self, action: Action) -> Diff:
        wanted = _refund(action)
        charge = await self._account.charge(wanted.payment_reference)
        amount = _possible(wanted, charge)
        before = {"payment": wanted.payment_reference, "paid": str(from_minor(charge.amount, charge.currency))}
        given = from_minor(charge.amount_refunded, charge.currency)
        after = from_minor(charge.amount_refunded + amount, charge.currency)
        return Diff(
            record=f"payment/{wanted.payment_reference}",
            record_version=_version(charge),
            before={**before, "refunded": str(given)},
            after={**before, "refunded": str(after)},
        )

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        wanted = _refund(action)
        async with self._busy.setdefault(key, asyncio.Lock()):
            charge = await self._account.charge(wanted.payment_reference)
            if found := await self._find(wanted, charge, key):
                return _receipt_of(found, failed_is_an_error=True)
            amount = self._still(wanted, charge, expected_version)
            attempt = await self._attempts.prepare(_attempt(self.name, wanted, key, now))
            metadata = {EFFECT: key, ACTION: wanted.digest(), MOMENT: attempt.at.isoformat(), "order": wanted.order_id}
            return await self._send(wanted, charge, amount, metadata, key, expected_version)

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        """One that failed at Stripe is none: the money did not move."""
        wanted = _refund(action)
        charge = await self._account.charge(wanted.payment_reference)
        found = await self._find(wanted, charge, key)
        return None if found is None or found.failed else _receipt_of(found)

    async def _find(self, wanted: RefundOrder, charge: Charge, key: str) -> Refund | None:
        async for refund in self._account.refunds(charge):
            if refund.metadata.get(EFFECT) == key:
                if refund.metadata.get(ACTION) != wanted.digest():
                    raise Permanent(f"the key {key} was used for another refund", hint=f"look at {refund.id} in Stripe")
                return refund
        return None

    def _still(self, wanted: RefundOrder, charge: Charge, expected_version: str) -> int:
        if _version(charge) != expected_version:
            raise Stale(f"the payment {wanted.payment_reference} moved since it was shown", hint="look at it again")
        return _possible(wanted, charge)

    async def _send(
        self, wanted: RefundOrder, charge: Charge, amount: int, metadata: dict[str, str], key: str, expected_version: str
    ) -> Receipt:
        """Where Stripe refuses, somebody may have refunded in this moment: then the payment moved."""
        try:
            refund = await self._account.refund(
                charge, amount, metadata=metadata, idempotency_key=str(derived_id("stripe-refund", key))
            )
        except Permanent:
            self._still(wanted, await self._account.charge(wanted.payment_reference), expected_version)
            raise
        return _receipt_of(refund, failed_is_an_error=True)


class StripeSource(ReadingSource):
    """Refunds and disputes, as Stripe lists them and as it calls us: the same event under the same id. See ``ports.Source``.

    A cursor is the id of the newest event that was read.
    """

    streams: tuple[str, ...] = (EVENTS,)

    def __init__(self, account: StripeAccount, *, since: datetime, secrets: tuple[str, ...]) -> None:
        self.name = account.name
        self._account = account
        self._since = since
        self._secrets = secrets

    async def read(self, stream: str, cursor: str, *, now: datetime) -> Page:
        """Oldest first. The first reading goes back to the day of connecting, as far as Stripe remembers."""
        found, more = await (self._after(cursor, now) if cursor else self._from_the_start(now))
        records = tuple(Record(stream=EVENTS, external_id=_id(event), raw=json.dumps(event).encode()) for event in reversed(found))
        return Page(records=records, cursor=records[-1].external_id if records else cursor, more=more)

    def verify_webhook(self, request: Webhook) -> tuple[Record, ...]:
        if not self._secrets:
            raise NotFound(f"{self.name} has no secret to check calls with")
        check_stripe(request, self._secrets)
        event = stripe_events.told(request.body)
        return (Record(stream=EVENTS, external_id=event.id, raw=request.body),) if event.type in TYPES else ()

    def normalise(self, stream: str, raw: bytes, *, at: datetime) -> ImportReport:
        raise InvalidInput("an event of Stripe is understood with the orders it is about")

    async def understand(self, delivery: Delivery, *, stream: str, state: State) -> Reading:
        return await stripe_events.understand(delivery, state)

    async def _after(self, cursor: str, now: datetime) -> tuple[list[dict[str, Any]], bool]:
        try:
            return await self._account.events(TYPES, ending_before=cursor)
        except Permanent as error:
            if "resource_missing" not in error.message:
                raise
            return await self._from_the_start(now)  # it was read so long ago that Stripe has forgotten it

    async def _from_the_start(self, now: datetime) -> tuple[list[dict[str, Any]], bool]:
        since = int(max(self._since, now - _KEPT).timestamp())
        found, after = list[dict[str, Any]](), dict[str, str]()
        for _ in range(_MOST_PAGES):
            page, more = await self._account.events(TYPES, created={"gte": since}, **after)
            found += page
            if not more or not page:
                return found, False
            after = {"starting_after": _id(page[-1])}
        raise Permanent(f"{self.name} has more events than can be read at once", hint="connect it anew with a later --set since=")


def _refund(action: Action) -> RefundOrder:
    if not isinstance(action, RefundOrder):
        raise Permanent(f"Stripe cannot {action.kind}")
    if not action.payment_reference.startswith(("pi_", "ch_", "py_")):
        hint = "import the orders with the column payment_reference (pi_... or ch_...), or give the money back by hand"
        raise Permanent(f"nobody knows by which payment order {action.order_id} was paid at Stripe", hint=hint)
    return action


def _possible(wanted: RefundOrder, charge: Charge) -> int:
    """The amount in Stripe's units. Raises Permanent, saying why it cannot be."""
    amount, left = to_minor(wanted.amount), charge.amount - charge.amount_refunded
    if charge.currency.upper() != wanted.amount.currency:
        raise Permanent(f"order {wanted.order_id} was paid in {charge.currency.upper()}, not {wanted.amount.currency}")
    if not (charge.paid and charge.captured):
        raise Permanent(f"the payment of order {wanted.order_id} never came to an end", hint="there is nothing to give back")
    if charge.disputed:
        raise Permanent(f"the payment of order {wanted.order_id} is disputed", hint="answer the dispute in Stripe")
    if left <= 0:
        raise Permanent(f"the payment of order {wanted.order_id} is refunded in full already")
    if not 0 < amount <= left:
        rest = from_minor(left, charge.currency)
        raise Permanent(f"{wanted.amount} is not between nothing and the {rest} left of the payment of order {wanted.order_id}")
    return amount


def _version(charge: Charge) -> str:
    return f"{charge.id}/{charge.amount_refunded}{'/disputed' if charge.disputed else ''}"


def _attempt(name: str, wanted: RefundOrder, key: str, now: datetime) -> Attempt:
    return Attempt(
        connection=name,
        key=key,
        stream=wanted.stream,
        action_kind=wanted.kind,
        action_digest=wanted.digest(),
        reference=key,
        payload=b"",
        at=now,
    )


def _receipt_of(refund: Refund, *, failed_is_an_error: bool = False) -> Receipt:
    """``at`` is when we asked for it, as the refund itself remembers."""
    if refund.failed and failed_is_an_error:
        why = f"the refund {refund.id} came to nothing at Stripe"
        raise Permanent(why, hint="give the money back in another way")
    detail = {"amount": refund.amount, "currency": refund.currency}
    return Receipt(reference=refund.id, at=datetime.fromisoformat(refund.metadata[MOMENT]), detail=detail)


def _id(event: dict[str, Any]) -> str:
    return str(event.get("id", ""))[:200] or "without-id"


def opened(opening: Opening, *, base_url: str = BASE_URL, **limits: Any) -> Opened:
    """``base_url`` is another one in tests only."""
    account = StripeAccount(opening.secret("api_key"), name=opening.name, base_url=base_url, **limits)
    secrets = tuple(opening.secret("webhook_secret").split())
    payments = StripePayments(account, opening.attempts)
    source = StripeSource(account, since=start_of(opening.settings["since"]), secrets=secrets)
    return Opened(check=payments.check, connectors={Capability.PAYMENTS: payments}, source=source, close=account.close)


def _open(opening: Opening) -> Opened:
    return opened(opening)


def _starting(*words: str, empty: bool = False) -> Callable[[str], str]:
    def check(value: str) -> str:
        text = " ".join(value.split())
        if not (empty and not text) and not all(one.startswith(words) for one in text.split() or [""]):
            raise InvalidInput(f"this does not begin with {' or '.join(words)}", hint="it is in Stripe, under Developers")
        return text

    return check


KIND = Kind(
    name="stripe",
    title="Stripe: gives money back, and tells of refunds that failed and of disputes",
    settings=(
        Setting(
            name="api_key",
            ask="A restricted key (rk_...): Refunds write; Charges, PaymentIntents and Events read",
            secret=True,
            check=_starting("rk_", "sk_"),
        ),
        Setting(
            name="webhook_secret",
            ask="The signing secret of the webhook endpoint (whsec_...); empty to be told by reading only",
            default="",
            secret=True,
            check=_starting("whsec_", empty=True),
        ),
        Setting(name="since", ask="Read what happened from this day on", default="today", check=day),
    ),
    open=_open,
    reads={EVENTS: "refunds that were made or failed at Stripe, and disputes"},
    does={Capability.PAYMENTS: "gives money back to how it was paid, in full or in part"},
    called=True,
)
