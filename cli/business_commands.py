"""``steward shop | received | relabel``: what the operator knows and Steward cannot."""

import re
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from cli.assignments import assigned, differences
from cli.choosing import choose, completing
from cli.context import OPERATOR, System, now, record, with_system
from cli.output import AsJson, print_json, print_table, say
from domain.entities import PurchaseOrder, PurchaseOrderStatus, Shop, Ticket
from domain.errors import InvalidInput
from domain.events import PurchaseOrderReceived, ShopDescribed, StockReceived, TicketRelabelled
from domain.playbooks import INTENTS

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_NOBODY = {"name": "", "email": "", "currency": "EUR", "site_url": "", "signature": ""}


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    for command in (shop, received, relabel):
        app.command()(command)


def shop(
    *,
    field: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="name, email, currency, site_url or signature; repeat.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Who you are: name, address, currency and signature of the shop."""

    async def work(system: System) -> dict[str, Any]:
        known = await system.memory.state.get(Shop, "self")
        document = known.model_dump(mode="json") if known else dict(_NOBODY)
        if not field:
            return document
        described = _described(assigned(document, field))
        if described != known:
            await record(system, ShopDescribed(shop=described), at=now())
        return described.model_dump(mode="json")

    document = with_system(work, as_json=as_json)
    if as_json:
        print_json(document)
    else:
        print_table("The shop", ("field", "value"), [(name, value) for name, _, value in differences({}, document)])


def received(
    which: Annotated[str, typer.Argument(metavar="PURCHASE-ORDER", help="Its id, or enough of it.")], *, as_json: AsJson = False
) -> None:
    """Say that a purchase order has arrived: its units go on the shelf."""

    async def work(system: System) -> PurchaseOrder:
        orders = await system.memory.state.find(PurchaseOrder)
        hint = "`./steward state list purchase-order` shows them"
        order = choose(orders, which, key=lambda o: o.purchase_order_id, what="purchase order", hint=hint)
        if order.status in (PurchaseOrderStatus.RECEIVED, PurchaseOrderStatus.CANCELLED):
            raise InvalidInput(f"purchase order {order.purchase_order_id} is already {order.status}", hint=hint)
        await _receive(system, order)
        return order

    order = with_system(work, as_json=as_json)
    units = {line.sku: line.units for line in order.lines}
    if as_json:
        print_json({"purchase_order": order.purchase_order_id, "received": units})
    else:
        print_table(f"{order.purchase_order_id} is on the shelf", ("sku", "units"), list(units.items()))


def relabel(
    which: Annotated[str, typer.Argument(metavar="TICKET", help="The ticket's id, or enough of it.")],
    intent: Annotated[str, typer.Argument(help=f"One of {', '.join(INTENTS)}.", autocompletion=completing(INTENTS))],
    *,
    as_json: AsJson = False,
) -> None:
    """Correct what a ticket is about; Steward learns from it."""

    async def work(system: System) -> Ticket:
        if intent not in INTENTS:
            raise InvalidInput(f"there is no intent {intent!r}", hint=f"there are {', '.join(INTENTS)}")
        tickets = await system.memory.state.find(Ticket)
        hint = "`./steward state list ticket` shows them"
        ticket = choose(tickets, which.removeprefix("support/"), key=lambda t: t.ticket_id, what="ticket", hint=hint)
        if ticket.intent != intent:
            await record(system, TicketRelabelled(ticket_id=ticket.ticket_id, intent=intent, by=OPERATOR), at=now())
        return ticket

    ticket = with_system(work, as_json=as_json)
    if as_json:
        print_json({"ticket": ticket.ticket_id, "before": ticket.intent, "after": intent})
    else:
        say(f"{ticket.ticket_id}: {ticket.intent or 'nothing'} -> {intent}")


async def _receive(system: System, order: PurchaseOrder) -> None:
    """The order and its lines in one append; nobody else may have touched the order meanwhile."""
    at, order_id = now(), order.purchase_order_id
    lines = [StockReceived(sku=line.sku, units=line.units, purchase_order_id=order_id) for line in order.lines]
    version = await system.memory.state.version(PurchaseOrder, order_id)
    arrived = PurchaseOrderReceived(purchase_order_id=order_id, at=at)
    await record(system, arrived, *lines, at=at, expected={f"purchase-order/{order_id}": version})


def _described(document: dict[str, Any]) -> Shop:
    if not _ADDRESS.fullmatch(document["email"]):
        raise InvalidInput(f"{document['email']!r} is no mail address", hint="for example --set email=shop@example.com")
    try:
        return Shop.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = first["loc"][0]
        raise InvalidInput(f"shop.{field}: {first['msg']}", hint=f"give --set {field}=… too: all are needed") from error
