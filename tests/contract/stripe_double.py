"""A double of the part of Stripe that is used: payments, refunds, events and idempotency keys, as its documentation has them.

It speaks HTTP on loopback and keeps state. Sources: docs.stripe.com/api (charges, payment_intents, refunds, events, errors,
idempotent_requests, pagination).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from tests.contract.outside_cases import NOW
from tests.contract.recorded.contracts import contract
from tests.contract.scripted_http import Call, Reply, as_json, serving

KEY = "rk_test_good"
_DAY = 86_400
_REFUSED = {
    "wrong": (401, {"type": "invalid_request_error", "message": "Invalid API Key provided: rk_***"}),
    "expired": (401, {"type": "invalid_request_error", "code": "api_key_expired", "message": "Expired API Key provided"}),
    "forbidden": (403, {"type": "invalid_request_error", "code": "more_permissions_required", "message": "no"}),
}


class Refusal(Exception):
    def __init__(self, status: int, code: str, *, kind: str = "invalid_request_error", param: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.error = {"type": kind, "code": code, "message": f"in words: {code} for ada@example.org", "param": param}


@dataclass
class StripeDouble:
    """``now`` is its clock, in seconds; ``delay`` is how long making a refund takes, and ``meanwhile`` happens before it;
    ``status`` is that of a new refund.
    """

    url: str = ""
    key: str = KEY
    refused: str = ""
    now: int = int(NOW.timestamp())
    delay: float = 0.0
    meanwhile: Callable[[], object] = lambda: None
    charges: dict[str, dict[str, Any]] = field(default_factory=dict)
    intents: dict[str, str] = field(default_factory=dict)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    remembered: dict[str, tuple[int, Any, Reply]] = field(default_factory=dict)
    under_way: set[str] = field(default_factory=set)
    trouble: list[tuple[str, Reply, bool]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    status: str = "succeeded"
    numbers: Any = field(default_factory=lambda: count(1))

    def pay(self, number: str, amount: int, currency: str = "eur", **changes: Any) -> None:
        """The payment ``pi_<number>`` with the charge ``ch_<number>``."""
        charge = {
            "id": f"ch_{number}",
            "object": "charge",
            "amount": amount,
            "amount_captured": amount,
            "amount_refunded": 0,
            "currency": currency,
            "status": "succeeded",
            "paid": True,
            "billing_details": {},
            **self._made(),
        }
        more = {"captured": True, "disputed": False, "refunded": False, "payment_intent": f"pi_{number}"}
        self.charges[f"ch_{number}"] = {**charge, **more, **changes}
        self.intents[f"pi_{number}"] = f"ch_{number}"

    def fail_next(self, reply: Reply, *, on: str = "", after: bool = False) -> None:
        """Give this reply to the next call that begins so (``POST /v1/refunds``); ``after`` it was carried out all the same."""
        self.trouble.append((on, reply, after))

    def happen(self, kind: str, about: dict[str, Any], *, at: int | None = None) -> dict[str, Any]:
        """An event, listed and ready to be sent."""
        event = {
            "id": f"evt_{next(self.numbers):06}",
            "object": "event",
            "type": kind,
            "created": self.now if at is None else at,
            "livemode": False,
            "pending_webhooks": 1,
            "data": {"object": about},
        }
        self.events.insert(0, event)
        return event

    def give_back(self, number: str, amount: int, **metadata: str) -> dict[str, Any]:
        """A refund as it is made, here or by somebody at Stripe itself."""
        charge = self.charges[f"ch_{number}"]
        if charge["amount_refunded"] >= charge["amount"]:
            raise Refusal(400, "charge_already_refunded")
        if amount <= 0 or charge["amount_refunded"] + amount > charge["amount"]:
            raise Refusal(400, "parameter_invalid_integer", param="amount")
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        refund = {"id": f"re_{next(self.numbers):06}", "object": "refund", "amount": amount, "currency": charge["currency"]}
        refund |= {"charge": charge["id"], "payment_intent": charge["payment_intent"], "status": self.status, "reason": None}
        refund |= {"created": self.now, "metadata": metadata}
        self.refunds.insert(0, refund)
        self.happen("refund.created", dict(refund))
        return refund

    async def answer(self, call: Call) -> Reply:
        self.asked.append(f"{call.method} {call.path}")
        trouble = next((one for one in self.trouble if self.asked[-1].startswith(one[0])), None)
        if trouble is None:
            return await self._checked(call)
        self.trouble.remove(trouble)
        _, reply, after = trouble
        if after:
            await self._checked(call)
        return reply

    async def _checked(self, call: Call) -> Reply:
        return contract("stripe").checked(call, await self._answer(call))

    async def _answer(self, call: Call) -> Reply:
        if self.refused or call.headers.get("authorization") != f"Bearer {self.key}":
            status, error = _REFUSED[self.refused or "wrong"]
            return as_json({"error": error}, status=status)
        try:
            if call.method == "POST":
                return await self._once(call)
            return as_json(self._look(call.path, call.query))
        except Refusal as refusal:
            return as_json({"error": refusal.error}, status=refusal.status)

    async def _once(self, call: Call) -> Reply:
        """One effect an idempotency key, for a day; the first answer is given again, whatever it was."""
        key = call.headers["idempotency-key"]
        if key in self.under_way:
            raise Refusal(409, "idempotency_key_in_use", kind="idempotency_error")
        made_at, body, reply = self.remembered.get(key, (0, None, Reply()))
        if made_at and self.now - made_at < _DAY:
            if body != call.body:
                raise Refusal(400, "", kind="idempotency_error")
            return replace(reply, headers={"idempotent_replayed": "true"})
        self.under_way.add(key)
        try:
            await asyncio.sleep(self.delay)
            self.meanwhile()
            reply = self._refund(call.body)
        finally:
            self.under_way.discard(key)
        self.remembered[key] = (self.now, call.body, reply)
        return reply

    def _refund(self, given: dict[str, str]) -> Reply:
        metadata = {name[9:-1]: value for name, value in given.items() if name.startswith("metadata[")}
        try:
            return as_json(self.give_back(given["charge"].removeprefix("ch_"), int(given["amount"]), **metadata))
        except Refusal as refusal:
            return as_json({"error": refusal.error}, status=refusal.status)

    def _look(self, path: str, given: dict[str, str]) -> dict[str, Any]:
        match path.removeprefix("/v1/").split("/"):
            case ["payment_intents", name] if name in self.intents:
                return self._intent(name, expanded=given.get("expand[0]") == "latest_charge")
            case ["charges", name] if name in self.charges:
                return self.charges[name]
            case ["refunds"]:
                return _page([r for r in self.refunds if r["charge"] == given["charge"]], given)
            case ["events"]:
                types = {value for name, value in given.items() if name.startswith("types")}
                since = int(given.get("created[gte]", 0))
                return _page([e for e in self.events if e["type"] in types and e["created"] >= since], given)
        raise Refusal(404, "resource_missing")

    def _intent(self, name: str, *, expanded: bool) -> dict[str, Any]:
        charge = self.charges[self.intents[name]]
        ways = {"capture_method": "automatic", "confirmation_method": "automatic", "payment_method_types": ["card"]}
        money = {"amount": charge["amount"], "amount_received": charge["amount"], "amount_capturable": 0}
        paid = {**money, "currency": charge["currency"], "status": "succeeded", **ways, **self._made()}
        return {"id": name, "object": "payment_intent", **paid, "latest_charge": charge if expanded else charge["id"]}

    def _made(self) -> dict[str, Any]:
        return {"created": self.now, "livemode": False, "metadata": {}}


def _page(found: list[dict[str, Any]], given: dict[str, str]) -> dict[str, Any]:
    """Newest first; ``ending_before`` gives the page that is next to its object."""
    limit, ids = int(given.get("limit", 10)), [one["id"] for one in found]
    for name in ("starting_after", "ending_before"):
        if name in given and given[name] not in ids:
            raise Refusal(400, "resource_missing", param=name)
    if "ending_before" in given:
        newer = found[: ids.index(given["ending_before"])]
        return {"object": "list", "data": newer[-limit:], "has_more": len(newer) > limit, "url": "/"}
    rest = found[ids.index(given["starting_after"]) + 1 :] if "starting_after" in given else found
    return {"object": "list", "data": rest[:limit], "has_more": len(rest) > limit, "url": "/"}


@asynccontextmanager
async def stripe_double() -> AsyncIterator[StripeDouble]:
    """Two payments of 29.00 EUR: ``pi_1001`` and ``pi_1002``."""
    double = StripeDouble()
    double.pay("1001", 2_900)
    double.pay("1002", 2_900)
    async with serving(answer=double.answer) as server:
        double.url = server.url
        yield double


def raw(event: dict[str, Any]) -> bytes:
    """As it is sent."""
    contract("stripe").holds("Event", event)
    return json.dumps(event, indent=2).encode()
