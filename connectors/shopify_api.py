"""How Shopify's Admin API is called: one version of it, a token that may expire, and a budget of query costs.

Costs: https://shopify.dev/docs/api/usage/limits. A query is charged before it runs, and the rest is given back; what is
available and how fast it comes back stands in every answer. Tokens of apps from the Dev Dashboard last a day and are got
with the app's client id and secret; those of older custom apps do not expire.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from connectors.graphql import Answer, Graph
from connectors.http import Http
from domain.errors import EffectError, Permanent, Retryable, Stale, Unknown

VERSION = "2026-10"
_PATIENCE = 5.0  # seconds that are waited here; more is for the caller
_EARLY = 300.0  # seconds before its end in which a token is not used any more
_STALE = {"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"}


class UserError(BaseModel):
    """Why something was not done. Its message is not repeated; ``field`` says where the fault lies."""

    code: str | None = None
    field: list[str] | None = None

    def error(self, system: str) -> EffectError:
        code, where = self.code or "", ".".join(self.field or ())[:80]
        if code in _STALE:
            return Stale(f"{system} has another number by now", hint="look at it again")
        if code == "IDEMPOTENCY_CONCURRENT_REQUEST":
            return Unknown(f"{system} is at this already", hint="look what becomes of it")
        return Permanent(f"{system} refused it ({code or 'no code'}{f' at {where}' if where else ''})", hint="look at it there")


class _Token(BaseModel):
    access_token: str
    expires_in: float


class ShopifyGraph(Graph):
    """``token`` is an access token, or with a ``client_id`` the secret of that client."""

    def __init__(self, http: Http, *, token: str, client_id: str = "") -> None:
        super().__init__(http, f"/admin/api/{VERSION}/graphql.json", folder="shopify")
        self._secret = token
        self._client_id = client_id
        self._granted: tuple[str, float] | None = None
        self._budget = _Budget(http.name)

    async def _exchange(self, body: Mapping[str, Any], *, changes: bool) -> Answer:
        await self._budget.spend(body["query"])
        try:
            answer = await super()._exchange(body, changes=changes)
        except Permanent:
            self._granted = None  # the token may be what is wrong; the next call gets another
            raise
        self._budget.note(body["query"], answer.extensions.get("cost"))
        return answer

    async def _headers(self) -> Mapping[str, str]:
        return {"x-shopify-access-token": await self._token() if self._client_id else self._secret}

    async def _token(self) -> str:
        if self._granted is None or self._granted[1] < time.monotonic():
            body = {"grant_type": "client_credentials", "client_id": self._client_id, "client_secret": self._secret}
            reply = await self._http.send("POST", "/admin/oauth/access_token", body=body, repeatable=True)
            token = reply.parse(_Token)
            self._granted = (token.access_token, time.monotonic() + token.expires_in - _EARLY)
        return self._granted[0]

    def _fault(self, answer: Answer) -> EffectError:
        if answer.errors[0].code == "THROTTLED":
            wish = self._budget.shortage()
            return Retryable(f"{self.name} is called too often", hint="it is tried again by itself", retry_after=wish)
        return super()._fault(answer)


class _Budget:
    """What may be asked before Shopify says no, as its last answer told it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._costs: dict[str, float] = {}
        self._last = 0.0
        self._available, self._rate, self._at = float("inf"), 0.0, 0.0

    async def spend(self, query: str) -> None:
        """Wait until it is affordable; raises Retryable where that takes long."""
        self._last = self._costs.get(query, 0.0)
        wait = self.shortage().total_seconds()
        if wait > _PATIENCE:
            what = f"{self._name} has to be left alone for {wait:.0f} seconds"
            raise Retryable(what, hint="it is tried again by itself", retry_after=timedelta(seconds=wait))
        if wait > 0:
            await asyncio.sleep(wait)

    def note(self, query: str, cost: Any) -> None:
        """``cost`` as it stands in an answer; what does not read changes nothing."""
        try:
            self._costs[query] = self._last = float(cost["requestedQueryCost"])
            status = cost["throttleStatus"]
            self._available, self._rate = float(status["currentlyAvailable"]), float(status["restoreRate"])
            self._at = time.monotonic()
        except (TypeError, LookupError, ValueError):
            return

    def shortage(self) -> timedelta:
        """How long until the last query is affordable."""
        restored = self._available + self._rate * (time.monotonic() - self._at)
        missing = self._last - restored
        return timedelta(seconds=min(missing / self._rate, 3_600)) if missing > 0 and self._rate > 0 else timedelta(0)
