"""Changing a Vendure shop. It knows no idempotency keys: a refund carries its mark in its reason. Nor does it compare before it
sets stock, but it writes down by how much each adjustment changed it: what was overwritten is seen there, and put right.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.order_rules import OrderAction, ShopAction, order_diff, stock_diff
from connectors.shop_effects import mark_in, marked
from connectors.vendure_api import Outcome, VendureGraph
from connectors.vendure_records import ORDER, VARIANT, Payment, Variant, VendureOrder, Wire
from domain.actions import AdjustStock, CancelOrder, ChangeAddress, RefundOrder, ReinstateOrder
from domain.decisions import Diff
from domain.entities import Address
from domain.errors import EffectError, NotCounted, Permanent, Stale, Unknown
from domain.ids import digest

_MODIFYING = "Modifying"


class _Adjustment(Wire):
    id: str
    created_at: datetime
    quantity: int


class VendureShop:
    """See ``shop_effects.RemoteShop``."""

    def __init__(self, graph: VendureGraph) -> None:
        self.name = graph.name
        self._graph = graph

    async def check(self) -> str:
        settings = await self._graph.settings()
        return f"the channel {settings.channel[:60]}, in {settings.currency}"

    async def look(self, action: ShopAction) -> Diff:
        if isinstance(action, AdjustStock):
            variant = await self._counted(action.sku)
            level = variant.stock_levels[0]
            return stock_diff(action, variant.on_hand, f"{level.stock_on_hand}-{level.stock_allocated}")
        order = await self._order(action.order_id)
        digits = (await self._graph.settings()).digits
        _check_permitted(action, order, digits)
        told = order.order(digits).model_copy(update={"as_of": None})
        return order_diff(action, told, digest(told)[:16])

    async def units(self, sku: str) -> int:
        return (await self._counted(sku)).on_hand

    async def change(self, action: ShopAction, *, mark: str, seen: Diff) -> None:
        match action:
            case RefundOrder():
                await self._refund(action, mark)
            case CancelOrder():
                given = {"orderId": (await self._order(action.order_id)).id, "cancelShipping": True, "reason": action.reason}
                await self._mutate("cancel", "cancelOrder", {"input": given})
            case ChangeAddress():
                await self._readdress(action)
            case AdjustStock():
                await self._set_stock(action)
            case ReinstateOrder():
                raise Permanent("a cancelled order cannot be taken up again")

    async def has_trace(self, action: ShopAction, *, mark: str) -> bool:
        if isinstance(action, AdjustStock):
            return (await self._variant(action.sku)).on_hand == action.units_after
        order = await self._order(action.order_id)
        match action:
            case RefundOrder():
                return any(mark_in(refund.reason or "") == mark for refund in order.refunds)
            case ChangeAddress():
                return await self._finished(order, action)
        return order.state == "Cancelled" and isinstance(action, CancelOrder)

    async def _refund(self, action: RefundOrder, mark: str) -> None:
        order, digits = await self._order(action.order_id), (await self._graph.settings()).digits
        amount = _minor(action, digits)
        given = {"paymentId": _payment(order, amount).id, "amount": amount, "reason": marked(action.reason, mark)}
        outcome = await self._mutate("refund", "refundOrder", {"input": {**given, "lines": [], "shipping": 0, "adjustment": 0}})
        if outcome.state == "Failed":
            raise Permanent(f"the payment's provider refused the refund of order {order.code}", hint="look at it in Vendure")

    async def _readdress(self, action: ChangeAddress) -> None:
        """An address can only be changed while an order is being modified, so it is taken there and back."""
        order = await self._order(action.order_id)
        await self._mutate("transition", "transitionOrderToState", {"id": order.id, "state": _MODIFYING})
        try:
            given = {"dryRun": False, "orderId": order.id, "updateShippingAddress": _order_address(action.address)}
            await self._mutate("readdress", "modifyOrder", {"input": {**given, "options": {"recalculateShipping": False}}})
        except Permanent:
            await self._back(order)
            raise
        except EffectError as error:
            raise Unknown(f"{self.name} began to modify order {order.code}, and then: {error.message}", hint="look") from None
        await self._back(order)

    async def _back(self, order: VendureOrder) -> None:
        try:
            await self._mutate("transition", "transitionOrderToState", {"id": order.id, "state": _resting(order)})
        except EffectError as error:
            raise Unknown(f"{self.name} left order {order.code} being modified: {error.message}", hint="look") from None

    async def _finished(self, order: VendureOrder, action: ChangeAddress) -> bool:
        """A change of ours that died on its way back is brought to its end."""
        if order.ship_to != action.address:
            return False
        if order.state == _MODIFYING:
            await self._back(order)
        return True

    async def _set_stock(self, action: AdjustStock) -> None:
        variant = await self._counted(action.sku)
        level = variant.stock_levels[0]
        if variant.on_hand != action.units_before:
            raise Stale(f"{self.name} has {variant.on_hand} of {action.sku} by now, not {action.units_before}")
        known = {adjustment.id for adjustment in await self._adjustments(variant)}
        by = action.units_after - action.units_before
        await self._write_stock(variant, level.stock_on_hand + by)
        try:
            fresh = [adjustment.quantity for adjustment in await self._adjustments(variant) if adjustment.id not in known]
        except EffectError as error:
            raise Unknown(f"{self.name} took the stock, and then: {error.message}", hint="look again") from None
        moved = _ours(fresh, was=level.stock_on_hand, became=level.stock_on_hand + by)
        if moved is not None and moved != by:
            await self._put_right(action, variant, over=by - moved)

    async def _put_right(self, action: AdjustStock, variant: Variant, *, over: int) -> None:
        """Somebody changed the stock between our look and our writing: what we wrote over is taken back."""
        try:
            now = await self._counted(action.sku)
            by = action.units_after - action.units_before
            await self._write_stock(variant, now.stock_levels[0].stock_on_hand - by + over)
        except EffectError as error:
            raise Unknown(f"{self.name} lost a change of {action.sku} by {-over}: {error.message}", hint="count it") from None
        raise Stale(f"somebody else changed the stock of {action.sku} at the same time", hint="look at it again")

    async def _write_stock(self, variant: Variant, stock_on_hand: int) -> None:
        level = {"stockLocationId": variant.stock_levels[0].stock_location_id, "stockOnHand": stock_on_hand}
        answer = await self._graph.ask("set_stock", {"input": [{"id": variant.id, "stockLevels": [level]}]}, changes=True)
        answer.read("updateProductVariants", list[dict[str, Any]])

    async def _adjustments(self, variant: Variant) -> list[_Adjustment]:
        answer = await self._graph.ask("movements", {"id": variant.id})
        found = answer.read("productVariant.stockMovements.items", list[_Adjustment])
        return sorted(found, key=lambda adjustment: adjustment.created_at)

    async def _mutate(self, document: str, field: str, variables: Mapping[str, Any]) -> Outcome:
        outcome = (await self._graph.ask(document, variables, changes=True)).read(field, Outcome)
        if outcome.error_code:
            raise Permanent(f"{self.name} refused it ({outcome.error_code[:60]})", hint="look at the order in Vendure")
        return outcome

    async def _order(self, code: str) -> VendureOrder:
        options = {"filter": {"code": {"eq": code}}, "take": 2}
        answer = await self._graph.ask("orders", {"options": options}, fragments=ORDER)
        found = answer.read("orders.items", list[VendureOrder])
        if len(found) != 1:
            raise Permanent(f"{self.name} has {len(found)} orders {code[:40]}, not one")
        return found[0]

    async def _variant(self, sku: str) -> Variant:
        options = {"filter": {"sku": {"eq": sku}}, "take": 2}
        answer = await self._graph.ask("variants", {"options": options}, fragments=VARIANT)
        found = answer.read("productVariants.items", list[Variant])
        if len(found) != 1:
            raise Permanent(f"{self.name} has {len(found)} articles with the SKU {sku}, not one")
        return found[0]

    async def _counted(self, sku: str) -> Variant:
        variant = await self._variant(sku)
        if not variant.counted(by_default=(await self._graph.settings()).counts):
            raise NotCounted(f"the shop does not count {sku}", hint="turn on the tracking of its inventory there")
        if len(variant.stock_levels) != 1:
            raise Permanent(f"{sku} lies at {len(variant.stock_levels)} places, not at one", hint="set it in Vendure")
        return variant


def _check_permitted(action: OrderAction, order: VendureOrder, digits: int) -> None:
    """Raises Permanent for what Vendure would refuse, or would do otherwise than shown."""
    if order.status is None:
        raise Permanent(f"order {order.code} is {order.state}: it is no sale, or somebody is modifying it")
    match action:
        case ReinstateOrder():
            raise Permanent(f"order {order.code} cannot be taken up again: Vendure cancels for good", hint="place it anew there")
        case CancelOrder() | ChangeAddress() if order.begun:
            raise Permanent(f"part of order {order.code} is packed or on its way", hint="do it in Vendure")
        case RefundOrder():
            _payment(order, _minor(action, digits))


def _payment(order: VendureOrder, amount: int) -> Payment:
    """The payment that a refund goes back to. Raises Permanent where no single one holds so much."""
    able = [payment for payment in order.payments or () if payment.state == "Settled" and payment.left >= amount]
    if not able:
        raise Permanent(f"no payment of order {order.code} holds so much", hint="refund it in Vendure")
    return able[0]


def _minor(action: RefundOrder, digits: int) -> int:
    amount = action.amount.amount.scaleb(digits)
    if amount != int(amount):
        raise Permanent(f"{action.amount.amount} is no amount that can be paid")
    return int(amount)


def _ours(adjustments: Sequence[int], *, was: int, became: int) -> int | None:
    """By how much our writing changed the stock, among the ``adjustments`` since it ``was`` looked at; oldest first.

    Ours is the one after which it ``became`` what we wrote. None where it is not told, as of more than a thousand adjustments.
    """
    level = was
    for adjustment in adjustments:
        level += adjustment
        if level == became:
            return adjustment
    return adjustments[0] if len(adjustments) == 1 else None


def _resting(order: VendureOrder) -> str:
    """The state in which an order waits to be sent, which is where it was before it was modified."""
    return "PaymentAuthorized" if any(payment.state == "Authorized" for payment in order.payments or ()) else "PaymentSettled"


def _order_address(address: Address) -> dict[str, str]:
    """A company or a province that was there before goes: they belonged to another place."""
    street = {"fullName": address.name, "company": "", "streetLine1": address.line1, "streetLine2": address.line2}
    return {**street, "city": address.city, "province": "", "postalCode": address.postcode, "countryCode": address.country}
