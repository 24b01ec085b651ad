"""A small shop in memory, and the whole way of a mail through planner, auditor, gate, ledger and connector."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import connectors
from agents.auditor import Auditor
from agents.executor import Executor
from agents.support_planner import SupportPlan, SupportPlanner, Triage
from connectors.local_shop import LocalShop
from domain import gate
from domain.actions import Capability
from domain.decisions import GateDecision, GateOutcome, Mode, Planned, Proposal, Verdict
from domain.effects import Effect, reservation_of
from domain.entities import (
    Address,
    Customer,
    Direction,
    Message,
    Order,
    OrderLine,
    OrderStatus,
    Product,
    Shop,
    Ticket,
)
from domain.event import EventData, NewEvent, new_event
from domain.events import CustomerListed, MessageReceived, OrderPlaced, ProductListed, ShopDescribed, StockCounted, TicketTriaged
from domain.money import Money
from domain.policies import GatePolicy
from domain.ports import Connector, Model
from domain.runs import ModeSet
from memory import Memory, in_memory
from models.embedding import HashingEmbedder

NOW = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)
SHOP = Shop(
    name="Alder & Co", email="help@alder.example", site_url="https://alder.example", signature="Kind regards\nRobin, Alder & Co"
)


def address(name: str, street: str, town: str) -> Address:
    return Address(name=name, line1=street, postcode="10115", city=town, country="DE")


ADA = Customer(customer_id="c-ada", name="Ada Berg", email="ada@mail.example", address=address("Ada Berg", "Ahornweg 3", "Berlin"))
BO = Customer(
    customer_id="c-bo", name="Bo Quist", email="bo@post.example", address=address("Bo Quist", "Birkenallee 88", "Potsdam")
)
MUG = Product(
    sku="MUG-1",
    title="Stoneware mug",
    price=Money.of("18.00"),
    unit_cost=Money.of("6.00"),
    supplier_id="s-1",
    attributes={"material": "stoneware", "care": "dishwasher safe", "capacity": "350 ml"},
)
VASE = Product(sku="VASE-2", title="Tall glass vase", price=Money.of("64.00"), unit_cost=Money.of("20.00"), supplier_id="s-1")


def order(order_id: str, customer: Customer, *products: Product, days_ago: int, **more: Any) -> Order:
    """An order of one of each product, placed ``days_ago``; paid for and not yet shipped unless ``more`` says otherwise."""
    lines = tuple(OrderLine(sku=p.sku, title=p.title, units=1, unit_price=p.price) for p in products)
    total = Money(amount=sum((p.price.amount for p in products), Decimal(0)))
    base = Order(
        order_id=order_id,
        customer_id=customer.customer_id,
        email=customer.email,
        lines=lines,
        total=total,
        placed_at=NOW - timedelta(days=days_ago),
        ship_to=customer.address or address(customer.name, "Nowhere 1", "Berlin"),
    )
    return base.model_copy(update=more)


def shipped(days_ago: int, *, tracking: str = "TRK900111") -> dict[str, Any]:
    at = NOW - timedelta(days=days_ago)
    return {"status": OrderStatus.SHIPPED, "shipped_at": at, "carrier": "DHL", "tracking": tracking}


def delivered(days_ago: int) -> dict[str, Any]:
    sent = shipped(days_ago + 2, tracking="TRK900222")
    return sent | {"status": OrderStatus.DELIVERED, "delivered_at": NOW - timedelta(days=days_ago)}


@dataclass
class Step:
    """How one planned action fared. ``effect`` is there where it was done."""

    planned: Planned
    verdict: Verdict
    gate: GateDecision
    effect: Effect | None = None
    after: Verdict | None = None

    @property
    def codes(self) -> set[str]:
        return {f.code for f in self.verdict.findings}


@dataclass
class Handled:
    triage: Triage
    plan: SupportPlan
    steps: list[Step] = field(default_factory=list)


class Floor:
    """Everything runs in full-auto mode: only the planner, the auditor and the gate stand between a mail and an effect."""

    def __init__(self, memory: Memory, model: Model, outside: Mapping[Capability, Connector]) -> None:
        self.memory = memory
        self.outside = outside
        self.planner = SupportPlanner(state=memory.state, packs=memory.packs, policies=memory.policies, model=model)
        self.auditor = Auditor(state=memory.state, policies=memory.policies)
        self.executor = Executor(connectors=outside)

    @classmethod
    async def open(cls, model: Model, *orders: Order) -> "Floor":
        floor = cls(in_memory(embedder=HashingEmbedder(), clock=lambda: NOW), model, connectors.in_memory())
        people = [CustomerListed(customer=ADA), CustomerListed(customer=BO)]
        goods: list[EventData] = [ProductListed(product=MUG), ProductListed(product=VASE), StockCounted(sku=MUG.sku, on_hand=40)]
        goods += [StockCounted(sku=VASE.sku, on_hand=0)]
        auto = ModeSet(by="operator", scope="support", mode=Mode.AUTO)
        await floor.tell(auto, ShopDescribed(shop=SHOP), *people, *goods, *(OrderPlaced(order=o) for o in orders))
        await cast("LocalShop", floor.outside[Capability.SHOP]).put_orders(orders)
        return floor

    async def tell(self, *events: EventData) -> None:
        known = len(await self.memory.log.read(limit=10_000))
        await self.memory.log.append([new_event(e, at=NOW, key=(str(known + i),)) for i, e in enumerate(events)])

    async def receive(self, ticket_id: str, sender: str, body: str, *, subject: str = "", message_id: str = "") -> None:
        """A mail arrives and joins its ticket."""
        ticket = await self.memory.state.get(Ticket, ticket_id)
        count = len(ticket.messages) if ticket else 0
        message = Message(
            message_id=message_id or f"<{ticket_id}.{count}@mail.example>",
            direction=Direction.INBOUND,
            sender=sender,
            at=NOW,
            body=body,
        )
        await self.tell(MessageReceived(ticket_id=ticket_id, source="mail", subject=subject, message=message))

    async def handle(self, ticket_id: str) -> Handled:
        """Triage, plan, and take each planned action as far as it may go on its own."""
        ticket = await self.memory.state.get(Ticket, ticket_id)
        turn = sum(m.direction is Direction.INBOUND for m in ticket.messages) if ticket else 0
        triage = await self.planner.triage(ticket_id, now=NOW)
        label = triage.label
        await self.tell(
            TicketTriaged(
                ticket_id=ticket_id,
                intent=label.intent,
                urgency=label.urgency,
                language=label.language,
                confidence=triage.confidence,
                engine=triage.engine,
                customer_id=triage.customer_id,
                order_id=triage.order_id,
            )
        )
        handled = Handled(triage, await self.planner.plan(triage, now=NOW, turn=turn))
        for planned in handled.plan.planned:
            handled.steps.append(await self.act(planned, run_id=f"support/{ticket_id}"))
            if handled.steps[-1].effect is None:
                break
        return handled

    async def mail(self, sender: str, body: str, *, subject: str = "", ticket_id: str = "t-1") -> Handled:
        await self.receive(ticket_id, sender, body, subject=subject)
        return await self.handle(ticket_id)

    async def act(self, planned: Planned, *, run_id: str) -> Step:
        diff = await self.executor.preview(planned.action)
        verdict = await self.auditor.before(action=planned.action, diff=diff, why=planned.why, now=NOW)
        decision = gate.decide(
            action=planned.action,
            mode=Mode.AUTO,
            verdict=verdict,
            why=planned.why,
            policy=(await self.memory.policies.in_force(GatePolicy)).document,
            breaker_open=False,
            bound_exceeded="",
        )
        step = Step(planned, verdict, decision)
        if decision.outcome is GateOutcome.ALLOW:
            proposal = Proposal(
                run_id=run_id,
                workflow="support",
                step=planned.step,
                action=planned.action,
                diff=diff,
                verdict=verdict,
                gate=decision,
                why=planned.why,
                policy_versions={},
                proposed_at=NOW,
            )
            step.effect = await self._carry_out(proposal)
            step.after = await self.auditor.after(effect=step.effect, now=NOW)
        return step

    async def _carry_out(self, proposal: Proposal) -> Effect:
        ledger = self.memory.ledger
        reserved = await ledger.reserve(
            reservation_of(proposal, approval_id="", now=NOW), connector=(await self.executor.resolve(proposal.action)).name
        )
        receipt = await self.executor.execute(await ledger.begin(reserved.key, now=NOW), now=NOW)
        events: list[NewEvent] = [
            new_event(data, at=NOW, key=(reserved.key, str(i))) for i, data in enumerate(proposal.action.events(receipt))
        ]
        return await ledger.commit(reserved.key, receipt, events)
