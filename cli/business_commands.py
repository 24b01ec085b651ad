"""``steward shop | received | describe | relabel``: what the operator knows and Steward cannot."""

from typing import Annotated, Any

import typer

from activities.receiving import Receiving, receiving
from agents.relabelling import check_intent, relabelled
from cli.assignments import assigned, differences
from cli.choosing import choose, completing
from cli.context import OPERATOR, System, now, record, with_system
from cli.output import AsJson, print_json, print_table, say
from cli.own_words import attributes_of, check_currency, described_shop
from domain.connections import Connection
from domain.deliveries import arrivals, restock_run, untold
from domain.entities import Order, Product, PurchaseOrder, Shop, Ticket
from domain.errors import NotFound
from domain.events import ProductListed, ShopDescribed
from domain.playbooks import INTENTS
from domain.runs import Alert, AlertClosed

_NOBODY = {"name": "", "email": "", "currency": "EUR", "site_url": "", "signature": ""}


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    for command in (shop, received, describe, relabel):
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
        described = described_shop(assigned(document, field))
        if known is None or described.currency != known.currency:
            state = system.memory.state
            check_currency(described.currency, await state.find(Product), await state.find(Order))
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
    """Say that a purchase order has arrived: its units go on the shelf, and a connected shop is told of them once you agree.

    Said again, what of it still waits to be put on sale is proposed again.
    """

    async def work(system: System) -> tuple[PurchaseOrder, Receiving, list[Connection]]:
        orders = await system.memory.state.find(PurchaseOrder)
        hint = "`./steward state list purchase-order` shows them"
        order = choose(orders, which, key=lambda o: o.purchase_order_id, what="purchase order", hint=hint)
        return order, await _receive(system, order), await system.memory.state.find(Connection)

    order, came, connections = with_system(work, as_json=as_json)
    units, run_id = dict(came.units), restock_run(order.purchase_order_id)
    proposed = {"shop": came.shop.name, "run": run_id, "action": "adjust-stock", "units": units} if came.shop else None
    if as_json:
        print_json({"purchase_order": order.purchase_order_id, "received": {} if came.again else units, "proposed": proposed})
        return
    rows = [(arrival.sku, arrival.title, units[arrival.sku]) for arrival in arrivals(order) if arrival.sku in units]
    what = "waits to be put on sale" if came.again else "is on the shelf"
    print_table(f"{order.purchase_order_id} {what}", ("sku", "article", "units"), rows)
    if came.shop:
        again = " again" if came.again else ""
        say(f"To put them on sale in {came.shop.name} is proposed{again}: `./steward inbox`, or `./steward show {run_id}`")
    if later := untold(connections):
        say(later)


def relabel(
    which: Annotated[str, typer.Argument(metavar="TICKET", help="The ticket's id, or enough of it.")],
    intent: Annotated[str, typer.Argument(help=f"One of {', '.join(INTENTS)}.", autocompletion=completing(INTENTS))],
    *,
    new: Annotated[bool, typer.Option("--new", help="Make it an intent of its own, if nobody knew it before.")] = False,
    as_json: AsJson = False,
) -> None:
    """Correct what a ticket is about; Steward learns from it."""

    async def work(system: System) -> Ticket:
        check_intent(intent, new=new)
        tickets = await system.memory.state.find(Ticket)
        hint = "`./steward state list ticket` shows them"
        ticket = choose(tickets, which.removeprefix("support/"), key=lambda t: t.ticket_id, what="ticket", hint=hint)
        at = now()
        if events := relabelled(ticket, intent, by=OPERATOR, at=at):
            await record(system, *events, at=at)
        return ticket

    ticket = with_system(work, as_json=as_json)
    if as_json:
        print_json({"ticket": ticket.ticket_id, "before": ticket.intent, "after": intent})
    else:
        say(f"{ticket.ticket_id}: {ticket.intent or 'nothing'} -> {intent}")


def describe(
    sku: Annotated[str, typer.Argument(help="The product.")],
    attributes: Annotated[list[str], typer.Argument(metavar="NAME=VALUE", help="care='dishwasher safe'; repeat.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Complete what is known of a product; closes the question that asked for it."""

    async def work(system: System) -> Product:
        said = attributes_of(attributes)
        product = await system.memory.state.get(Product, sku)
        if product is None:
            raise NotFound(f"there is no product {sku!r}", hint="`./steward state list product` shows them")
        completed = product.model_copy(update={"attributes": {**product.attributes, **said}})
        keys = [f"question/product/{sku}#{name}" for name in said]
        asked = [key for key in keys if (alert := await system.memory.state.get(Alert, key)) and alert.open]
        await record(system, ProductListed(product=completed), *(AlertClosed(key=key, by=OPERATOR) for key in asked), at=now())
        return completed

    product = with_system(work, as_json=as_json)
    if as_json:
        print_json(product)
    else:
        print_table(f"{product.title} ({product.sku})", ("", ""), sorted(product.attributes.items()))


async def _receive(system: System, order: PurchaseOrder) -> Receiving:
    """The order and its lines in one append; nobody else may have touched the order meanwhile."""
    at, order_id = now(), order.purchase_order_id
    version = await system.memory.state.version(PurchaseOrder, order_id)
    came = await receiving(order, by=OPERATOR, at=at, state=system.memory.state)
    await record(system, *came.events, at=at, expected={f"purchase-order/{order_id}": version})
    return came
