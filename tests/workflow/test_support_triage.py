"""A customer's conversation, from the first message to the closing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from connectors.fakes import InMemoryHelpdesk, InMemoryShop
from domain.actions import Capability, SendReply
from domain.approvals import Approval, Verb
from domain.decisions import Mode
from domain.entities import Customer, Direction, Message, Order, OrderStatus, Shop, Ticket, TicketStatus
from domain.event import Topic, new_event
from domain.events import CustomerListed, MessageReceived, OrderPlaced, ShopDescribed, TicketClosed
from domain.knowledge import OutboxItem
from domain.money import Money
from domain.runs import Run
from tests.workflow import sample
from tests.workflow.conftest import World
from tests.workflow.waiting import until
from workflows.support_triage import SupportTriageWorkflow

SHIPPED: dict[str, Any] = {
    "status": OrderStatus.SHIPPED,
    "shipped_at": datetime.now(UTC) - timedelta(days=2),
    "placed_at": datetime.now(UTC) - timedelta(days=3),
    "carrier": "DHL",
    "tracking": "JD014600003",
}
WHERE = "Hello, where is my order 1001? When will it arrive? I am still waiting for the parcel."
RETURN = "How do I send the mug from order 1001 back? I would like to return it."


class Desk:
    """A shop with one customer, and her letters."""

    def __init__(self, world: World) -> None:
        self.world = world
        helpdesk, shop = world.connectors[Capability.HELPDESK], world.connectors[Capability.SHOP]
        assert isinstance(helpdesk, InMemoryHelpdesk)
        assert isinstance(shop, InMemoryShop)
        self.helpdesk, self.shop = helpdesk, shop
        self.ticket = "mail/one@example.org"

    async def open(self, order: Order, *, mode: Mode = Mode.AUTO) -> None:
        shop = Shop(name="Clay", email="hello@clay.example", site_url="https://clay.example", signature="Kim, Clay")
        customer = Customer(customer_id="ada", name="Ada Berg", email="ada@example.org")
        await self.world.record(ShopDescribed(shop=shop), CustomerListed(customer=customer), OrderPlaced(order=order))
        await self.shop.put_orders([order])
        await self.world.mode("support", mode)

    async def mail(self, body: str, *, number: int = 1, sender: str = "ada@example.org") -> WorkflowHandle[Any, str]:
        """A message arrives: its event is appended and its wake-up delivered, as the relay does."""
        await self.write(body, number=number, sender=sender)
        await self.deliver_pending()
        return self.world.client.get_workflow_handle_for(SupportTriageWorkflow.run, f"support/{self.ticket}")

    async def write(self, body: str, *, number: int, sender: str = "ada@example.org") -> None:
        """A message is in the log, and its wake-up in the outbox."""
        message = Message(
            message_id=f"m{number}@example.org", direction=Direction.INBOUND, sender=sender, at=datetime.now(UTC), body=body
        )
        data = MessageReceived(ticket_id=self.ticket, source="mail", subject="Question", message=message)
        await self.world.kept.log.append([new_event(data, at=message.at, key=(message.message_id,))])

    async def deliver_pending(self) -> None:
        for item in await self.world.kept.outbox.pending():
            await self.deliver(item)

    async def deliver(self, item: OutboxItem) -> None:
        with self.world.env.with_time_skipping_disabled():
            await self.world.gateway.wake(item, debounce=timedelta(0))
        await self.world.kept.outbox.delivered([item.item_id])

    async def sent(self, count: int) -> list[SendReply]:
        """The replies, once there are ``count``."""

        async def enough() -> list[SendReply] | None:
            return self.helpdesk.sent if len(self.helpdesk.sent) >= count else None

        return await until(enough)

    async def kept_ticket(self) -> Ticket:
        ticket = await self.world.kept.state.get(Ticket, self.ticket)
        assert ticket is not None
        return ticket


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


async def test_a_question_about_an_order_is_answered_from_facts_and_closed_after_silence(desk: Desk) -> None:
    """The reply goes to the sender with the order's own tracking; a follow-up, then closing after the policy's days."""
    await desk.open(sample.order(**SHIPPED))
    run = await desk.mail(WHERE)
    first = (await desk.sent(1))[0]
    assert first.to == "ada@example.org"
    assert "JD014600003" in first.body
    await desk.world.env.fast_forward(run, timedelta(days=10))
    assert (await run.result()).startswith("closed")
    assert len(desk.helpdesk.sent) == 2
    assert (await desk.kept_ticket()).status is TicketStatus.CLOSED
    kept = await desk.world.kept.state.get(Run, run.id)
    assert kept is not None
    assert {o.metric for o in kept.outcomes} >= {"first-response-minutes", "reopened"}


async def test_a_second_message_reaches_the_running_conversation(desk: Desk) -> None:
    """The same run answers it; it is not a second ticket."""
    await desk.open(sample.order(**SHIPPED))
    run = await desk.mail(WHERE)
    await desk.sent(1)
    again = await desk.mail(RETURN, number=2)
    assert again.id == run.id
    assert len(await desk.sent(2)) == 2
    assert (await run.describe()).run_id == (await again.describe()).run_id
    assert len([m for m in (await desk.kept_ticket()).messages if m.direction is Direction.INBOUND]) == 2


async def test_a_message_that_arrives_while_a_question_waits_withdraws_it(desk: Desk) -> None:
    """The waiting draft answers only half of what the customer wrote: it is planned anew."""
    await desk.open(sample.order(**SHIPPED), mode=Mode.ASK)
    run = await desk.mail(WHERE)
    first = await desk.world.pending(run.id)
    await desk.mail("Could you send me the invoice for order 1001?", number=2)

    async def newer() -> Approval | None:
        found = await desk.world.kept.state.find(Approval, status="pending")
        return next((a for a in found if a.approval_id != first.approval_id), None)

    second = await until(newer)
    kept = await desk.world.kept.state.get(Approval, first.approval_id)
    assert kept is not None
    assert kept.status == "withdrawn"
    assert desk.helpdesk.executed == 0
    assert second.proposal.run_id == run.id


async def test_a_message_that_arrives_while_the_answer_is_on_its_way_is_answered_too(desk: Desk) -> None:
    """It is recorded before the reply to the first one, and still nobody forgets it."""
    await desk.open(sample.order(**SHIPPED))

    async def meanwhile() -> None:
        await desk.mail("Could you send me the invoice for order 1001?", number=2)

    desk.helpdesk.before_next(meanwhile)
    await desk.mail(WHERE)
    first, second = (await desk.sent(2))[:2]
    assert (first.in_reply_to.strip("<>"), second.in_reply_to.strip("<>")) == ("m1@example.org", "m2@example.org")

    async def answered() -> bool | None:
        return (await desk.kept_ticket()).unanswered == () or None

    assert await until(answered)


async def test_an_answer_after_closing_opens_the_conversation_again(desk: Desk) -> None:
    """The same business id, a new run, and the ticket counts as reopened."""
    await desk.open(sample.order(**SHIPPED))
    run = await desk.mail(WHERE)
    await desk.sent(1)
    await desk.world.env.fast_forward(run, timedelta(days=10))
    await run.result()
    await desk.mail("It still has not arrived. Where is order 1001 now?", number=2)

    async def reopened() -> bool | None:
        ticket = await desk.kept_ticket()
        return (ticket.reopened == 1 and ticket.status is not TicketStatus.CLOSED) or None

    assert await until(reopened)


@pytest.mark.parametrize("step", ["plan_turn", "close_ticket", "finish_run"])
async def test_a_question_that_arrives_while_the_run_is_closing_is_answered(desk: Desk, step: str) -> None:
    """Thanks end a conversation; what is written in the same moment does not go under with it."""
    await desk.open(sample.order(**SHIPPED))
    run = await desk.mail(WHERE)
    await desk.sent(1)

    async def meanwhile() -> None:
        await desk.mail(RETURN, number=3)

    desk.world.meanwhile.after[step] = meanwhile
    await desk.mail("Thank you!", number=2)
    assert (await desk.sent(2))[1].in_reply_to.strip("<>") == "m3@example.org"
    record = await desk.world.kept.state.get(Run, run.id)
    assert record is not None
    assert record.status == "running"


async def test_a_message_that_is_not_yet_signalled_keeps_the_ticket_open(desk: Desk) -> None:
    """It is in the log before its wake-up is delivered: closing looks at the ticket too."""
    await desk.open(sample.order(**SHIPPED))
    run = await desk.mail(WHERE)
    await desk.sent(1)

    async def written() -> None:
        await desk.write(RETURN, number=3)

    desk.world.meanwhile.after |= {"plan_turn": written, "close_ticket": desk.deliver_pending}
    await desk.mail("Thank you!", number=2)
    assert (await desk.sent(2))[1].in_reply_to.strip("<>") == "m3@example.org"
    assert TicketClosed.type not in {e.type for e in await desk.world.kept.log.read(correlation_id=run.id)}


async def test_the_same_wake_up_twice_changes_nothing(desk: Desk) -> None:
    """Delivery is at least once; the second one after the end starts a run that finds nothing to answer."""
    await desk.open(sample.order(**SHIPPED))
    run = await desk.mail(WHERE)
    await desk.sent(1)
    event = (await desk.world.kept.log.read(stream=f"ticket/{desk.ticket}"))[0]
    item = OutboxItem(item_id=1, topic=Topic.SUPPORT, key=desk.ticket, event_id=event.event_id, at=event.at)
    await desk.deliver(item)
    await desk.world.env.fast_forward(run, timedelta(days=10))
    await run.result()
    await desk.deliver(item)
    again = desk.world.client.get_workflow_handle_for(SupportTriageWorkflow.run, run.id)
    assert await again.result() == "nothing to answer"
    assert len(desk.helpdesk.sent) == 2


async def test_a_damaged_item_over_the_limit_asks_then_refunds_then_replies(desk: Desk) -> None:
    """Money first, words after: the reply that says it was refunded goes out once it was."""
    delivered = sample.order(
        status=OrderStatus.DELIVERED,
        placed_at=datetime.now(UTC) - timedelta(days=8),
        shipped_at=datetime.now(UTC) - timedelta(days=6),
        delivered_at=datetime.now(UTC) - timedelta(days=3),
        total=Money.of(120),
        lines=(sample.order().lines[0].model_copy(update={"unit_price": Money.of(60)}),),
    )
    await desk.open(delivered)
    run = await desk.mail("Order 1001 arrived damaged: both mugs are broken into pieces. Please refund them.")
    approval = await desk.world.pending(run.id)
    assert approval.proposal.action.kind == "refund-order"
    assert desk.helpdesk.executed == 0
    await desk.world.decide(approval)
    reply = (await desk.sent(1))[0]
    assert "refunded" in reply.body
    assert desk.shop.executed == 1


async def test_a_rejected_refund_leaves_the_answer_to_the_operator(desk: Desk) -> None:
    """The prepared reply is not true any more; the operator is asked for another, and that one goes out."""
    delivered = sample.order(
        status=OrderStatus.DELIVERED,
        placed_at=datetime.now(UTC) - timedelta(days=8),
        shipped_at=datetime.now(UTC) - timedelta(days=6),
        delivered_at=datetime.now(UTC) - timedelta(days=3),
        total=Money.of(120),
        lines=(sample.order().lines[0].model_copy(update={"unit_price": Money.of(60)}),),
    )
    await desk.open(delivered)
    run = await desk.mail("Order 1001 arrived damaged: both mugs are broken into pieces. Please refund them.")
    await desk.world.decide(await desk.world.pending(run.id), Verb.REJECT, reason="no photo")
    question = await desk.world.pending(run.id)
    empty = question.proposal.action
    assert isinstance(empty, SendReply)
    assert empty.body == ""
    written = empty.model_copy(update={"body": "Hello Ada,\n\ncould you send us a photo, please?\n\nKim, Clay"})
    await desk.world.decide(question, Verb.EDIT, action=written)
    assert (await desk.sent(1))[0].body == written.body
    assert desk.shop.executed == 0


async def test_another_language_goes_to_the_operator_with_the_facts(desk: Desk) -> None:
    """It is not answered by guess."""
    await desk.open(sample.order(**SHIPPED))
    run = await desk.mail("Guten Tag, wo bleibt meine Bestellung 1001? Ich warte schon seit einer Woche darauf und bin enttäuscht.")
    approval = await desk.world.pending(run.id)
    assert isinstance(approval.proposal.action, SendReply)
    assert approval.proposal.action.body == ""
    assert approval.proposal.why.facts
    assert desk.helpdesk.executed == 0


async def test_spam_is_closed_without_an_answer(desk: Desk) -> None:
    """No mail goes out, nobody is bothered."""
    await desk.open(sample.order(**SHIPPED))
    spam = (
        "Dear webmaster, we offer SEO backlinks and guest posts to boost your Google ranking. Buy cheap traffic now, limited offer!"
    )
    run = await desk.mail(spam, sender="growth@backlinks.example")
    assert (await run.result()).startswith("closed")
    assert desk.helpdesk.executed == 0
    assert await desk.world.kept.state.find(Approval) == []


async def test_a_stranger_learns_nothing_about_an_order(desk: Desk) -> None:
    """The order number in the text is not a claim to the order."""
    await desk.open(sample.order(**SHIPPED))
    run = await desk.mail(WHERE, sender="eve@example.net")

    async def answered_or_asked() -> bool | None:
        return bool(desk.helpdesk.sent or await desk.world.kept.state.find(Approval)) or None

    await until(answered_or_asked)
    texts = [r.body for r in desk.helpdesk.sent] + [
        a.proposal.action.body for a in await desk.world.kept.state.find(Approval) if isinstance(a.proposal.action, SendReply)
    ]
    assert not any("JD014600003" in text or "Ada" in text for text in texts)
    assert run.id == f"support/{desk.ticket}"
