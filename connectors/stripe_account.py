"""Calls to Stripe through its own SDK: bounded in time and size, never repeated by themselves, and with our errors.

What a failure means depends on whether anything could have happened; see ``connectors.http``. Two things are Stripe's own: 409 says
that the same key is under way elsewhere, and an error 500 is remembered with the key, so that only looking tells what became of it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, TypeVar

import httpx
import stripe
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.http import trust
from connectors.rate_limit import retry_after
from domain.errors import EffectError, Permanent, Retryable, Unknown

M = TypeVar("M", bound=BaseModel)
BASE_URL = "https://api.stripe.com"
SECONDS = 30.0
MOST_BYTES = 5 * 1024 * 1024
_PAGE, _MOST_PAGES = 100, 50
_IN_USE = "idempotency_key_in_use"
_AGAIN = "it is tried again by itself"
stripe.enable_telemetry = False  # neither how long calls took nor what machine this is


class _Told(BaseModel):
    """What Stripe says has much more in it; only what is used here has to be as expected."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Refund(_Told):
    id: str
    amount: int = Field(ge=0)
    currency: str
    status: str | None = None
    failure_reason: str | None = None
    reason: str | None = None
    charge: str | None = None
    payment_intent: str | None = None
    created: int
    metadata: dict[str, str] = Field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return self.status in ("failed", "canceled")


class Charge(_Told):
    id: str
    amount: int = Field(ge=0)
    amount_refunded: int = Field(ge=0)
    currency: str
    paid: bool = True
    captured: bool = True
    disputed: bool = False
    payment_intent: str | None = None


class PaymentIntent(_Told):
    id: str
    latest_charge: Charge | None = None


class StripeAccount:
    """``base_url`` is another one in tests only."""

    def __init__(
        self, api_key: str, *, name: str, base_url: str = BASE_URL, seconds: float = SECONDS, max_bytes: int = MOST_BYTES
    ) -> None:
        self.name = name
        self._seconds = seconds
        self._transport = _Bounded(seconds=seconds, max_bytes=max_bytes)
        self._client = stripe.StripeClient(
            api_key, base_addresses={"api": base_url}, max_network_retries=0, http_client=self._transport
        )

    async def charge(self, reference: str) -> Charge:
        """The charge behind a payment (``pi_...``, or a charge itself). Raises Permanent where there is none."""
        if not reference.startswith("pi_"):
            return self._read(Charge, await self._ask(self._client.v1.charges.retrieve_async(reference)))
        asked = self._client.v1.payment_intents.retrieve_async(reference, {"expand": ["latest_charge"]})
        intent = self._read(PaymentIntent, await self._ask(asked))
        if intent.latest_charge is None:
            raise Permanent(f"the payment {reference} was never charged", hint="there is nothing to give back")
        return intent.latest_charge

    async def refunds(self, charge: Charge) -> AsyncIterator[Refund]:
        """Every refund of a charge. The list is complete at any moment, which Stripe's search is not."""
        after: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            params: Any = {"charge": charge.id, "limit": _PAGE, **after}
            page = await self._ask(self._client.v1.refunds.list_async(params))
            found = [self._read(Refund, one) for one in page.get("data", ())]
            for refund in found:
                yield refund
            if not page.get("has_more") or not found:
                return
            after = {"starting_after": found[-1].id}
        raise Permanent(f"{self.name} has more refunds of one payment than can be read")

    async def refund(self, charge: Charge, amount: int, *, metadata: Mapping[str, str], idempotency_key: str) -> Refund:
        """Give money back. Raises Unknown where it may have happened."""
        params: Any = {"charge": charge.id, "amount": amount, "metadata": dict(metadata)}
        asked = self._client.v1.refunds.create_async(params, {"idempotency_key": idempotency_key})
        return self._read(Refund, await self._ask(asked, changes=True), changes=True)

    async def events(self, types: tuple[str, ...], **narrowed: Any) -> tuple[list[dict[str, Any]], bool]:
        """A page of events, newest first, and whether there are more."""
        params: Any = {"types": list(types), "limit": _PAGE, **narrowed}
        page = await self._ask(self._client.v1.events.list_async(params))
        data = page.get("data")
        if not isinstance(data, list):
            self._surprise("data", changes=False)
        return data, bool(page.get("has_more"))

    async def close(self) -> None:
        await self._transport.close_async()

    async def _ask(self, call: Awaitable[Any], *, changes: bool = False) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._seconds):
                answer = await call
        except stripe.StripeError as error:
            raise self._meaning(error, changes) from None
        except TimeoutError:
            raise self._uncertain(f"{self.name} did not answer to the end", changes) from None
        found = answer.to_dict() if isinstance(answer, stripe.StripeObject) else None
        if not isinstance(found, dict):
            self._surprise("the body", changes)
        return found

    def _read(self, wanted: type[M], found: Any, changes: bool = False) -> M:
        try:
            return wanted.model_validate(found)
        except ValidationError as error:
            self._surprise(".".join(map(str, error.errors(include_input=False)[0]["loc"])) or "the body", changes)

    def _meaning(self, error: stripe.StripeError, changes: bool) -> EffectError:
        """By status and code; the words of an error are never repeated."""
        if isinstance(error, stripe.APIConnectionError):
            return self._unreached(error.__cause__, changes)
        status, code = error.http_status or 0, _code(error)
        text = f"{self.name} answered {status}" + (f" ({code})" if code else "")
        match status:
            case 401 | 403:
                return Permanent(text, hint=f"its key is wrong, expired or not allowed to do this: `./steward connect {self.name}`")
            case 409 | 425 | 429:
                return Retryable(text, hint=_AGAIN)
            case _ if code in (_IN_USE, "rate_limit", "lock_timeout"):
                return Retryable(text, hint=_AGAIN)
            case _ if status >= 500:
                return self._uncertain(text, changes)
            case _ if 200 <= status < 300:
                return self._uncertain(f"{self.name} did not answer with JSON", changes, content=True)
        if code == "idempotency_error":
            return Permanent(f"{text}: the key was used for another request", hint="look at the payment in Stripe")
        return Permanent(text, hint="the same request would be refused again")

    def _unreached(self, cause: BaseException | None, changes: bool) -> EffectError:
        match cause:
            case _Busy():
                return Retryable(f"{self.name} asked to be left alone", hint=_AGAIN, retry_after=cause.wish)
            case _TooLarge():
                return self._uncertain(f"{self.name} answered with too many bytes", changes, content=True)
            case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
                return Retryable(f"{self.name} cannot be reached", hint=_AGAIN)
        return self._uncertain(f"{self.name} did not answer to the end", changes)

    def _uncertain(self, text: str, changes: bool, *, content: bool = False) -> EffectError:
        if changes:
            return Unknown(text, hint="it may have happened all the same: look before it is repeated")
        return Permanent(text) if content else Retryable(text, hint=_AGAIN)

    def _surprise(self, where: str, changes: bool) -> NoReturn:
        raise self._uncertain(f"{self.name} answered something else than expected at {where}", changes, content=True)


class _TooLarge(Exception):
    """An answer that goes on and on."""


class _Busy(Exception):
    """The server took nothing, and says for how long it will not."""

    def __init__(self, wish: timedelta) -> None:
        super().__init__(wish)
        self.wish = wish


class _Bounded(stripe.HTTPClient):
    """One request, one answer: no redirect is followed, no proxy of the environment used, and no answer read without end."""

    name = "steward"

    def __init__(self, *, seconds: float, max_bytes: int) -> None:
        super().__init__()
        self._max_bytes = max_bytes
        self._httpx = httpx.AsyncClient(
            timeout=httpx.Timeout(seconds, connect=5.0),
            follow_redirects=False,
            trust_env=False,
            verify=trust(),
            headers={"accept-encoding": "identity"},
        )

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        try:
            async with self._httpx.stream(method, url, headers=dict(headers), content=post_data or None) as response:
                wish = retry_after(_lower(response.headers), now=datetime.now(UTC))
                if response.status_code in (429, 503) and wish is not None:
                    raise _Busy(wish)
                return await self._whole(response), response.status_code, response.headers
        except (httpx.HTTPError, _TooLarge, _Busy) as error:
            raise stripe.APIConnectionError("no whole answer") from error  # type: ignore[no-untyped-call]  # as the SDK has it

    async def _whole(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._max_bytes:
                raise _TooLarge
        return bytes(body)

    async def close_async(self) -> None:
        await self._httpx.aclose()


def _code(error: stripe.StripeError) -> str:
    """Its short code, cut and cleaned."""
    body = error.json_body if isinstance(error.json_body, dict) else {}
    told = body.get("error")
    code = (told.get("code") or told.get("type") or "") if isinstance(told, dict) else ""
    return "".join(c for c in str(code)[:80] if c.isalnum() or c in "._-")


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
