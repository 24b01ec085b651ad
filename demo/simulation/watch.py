"""Reads an arm's log as it grows: who was answered, what was paid, what was asked. Nothing is believed but the log."""

from collections.abc import Callable, Mapping
from datetime import datetime

from demo.simulation.conversations import Conversations, NextLetter
from demo.simulation.figures import Tally
from demo.simulation.owner import ANSWERING_MINUTES
from demo.simulation.scenario import Scenario
from demo.simulation.truth import judge
from domain.actions import Action, CancelOrder, ChangeAddress, RefundOrder, SendReply
from domain.catalogue import load_event
from domain.effects import Effect
from domain.entities import PurchaseOrder
from domain.event import Event
from domain.events import PurchaseOrderSent, TicketTriaged
from domain.playbooks import FOLLOW_UP
from domain.policies import PolicyActivated
from memory import Memory

_PAGE = 1_000
_PEOPLE = ("operator", "demo")


class Watch:
    """``letters`` and ``purchases`` are what the world has to answer to.

    ``severe`` says what went really wrong, ``learned`` what was changed by learning.
    """

    def __init__(self, kept: Memory, talks: Conversations, *, scenario: Scenario, tally: Tally) -> None:
        self._kept = kept
        self._talks = talks
        self._scenario = scenario
        self._tally = tally
        self._now = scenario.midnight(1)
        self._seq = 0
        self.letters: list[NextLetter] = []
        self.purchases: list[PurchaseOrder] = []
        self.severe: list[str] = []
        self.learned: list[str] = []
        self._on: Mapping[str, Callable[[Event], None]] = {
            "ticket.triaged": self._triaged,
            "ticket.closed": self._closed,
            "ticket.handed-over": self._handed_over,
            "approval.requested": self._asked,
            "attention.interrupt-sent": self._interrupted,
            "purchase-order.sent": self._purchased,
            "policy.activated": self._policy_moved,
        }

    async def look(self, now: datetime) -> list[Event]:
        """Take in what was appended since the last look. ``now`` is the simulation's time. Returns the new events."""
        self._now = now
        found: list[Event] = []
        while page := await self._kept.log.read(after=self._seq, limit=_PAGE):
            self._seq = page[-1].seq
            found += page
        for event in found:
            if handler := self._on.get(event.type):
                handler(event)
            if event.causation_id:
                await self._effect(event)
        return found

    def _triaged(self, event: Event) -> None:
        data = load_event(event.type, event.data)
        assert isinstance(data, TicketTriaged)
        self._talks.by_ticket[data.ticket_id].taken_for = data.intent

    def _closed(self, event: Event) -> None:
        self._expect(self._talks.closed(event.data["ticket_id"], at=event.at, not_before=self._now))

    def _handed_over(self, event: Event) -> None:
        """The operator answers it by other means, at once."""
        self._talks.taken_over(event.data["ticket_id"], at=self._now)
        self._count(event, decisions=1, minutes=ANSWERING_MINUTES)

    def _asked(self, event: Event) -> None:
        self._count(event, questions=1)

    def _interrupted(self, event: Event) -> None:
        self._count(event, interrupts=1)

    def _purchased(self, event: Event) -> None:
        data = load_event(event.type, event.data)
        assert isinstance(data, PurchaseOrderSent)
        self.purchases.append(data.purchase_order)

    def _policy_moved(self, event: Event) -> None:
        """A change that nobody here thought of by themselves."""
        data = load_event(event.type, event.data)
        assert isinstance(data, PolicyActivated)
        if data.version.proposed_by not in _PEOPLE:
            self.learned.append(f"{event.at:%Y-%m-%d} {data.name}, version {data.version.version}: {data.version.why}")

    async def _effect(self, event: Event) -> None:
        """What a run did to a ticket or an order, against the truth."""
        effects = await self._kept.ledger.effects(key=event.causation_id)
        if not effects:
            return
        match effects[0].action:
            case SendReply() as reply if reply.ticket_id in self._talks.by_ticket:
                self._replied(reply, effects[0], event)
            case RefundOrder() | CancelOrder() | ChangeAddress() as change:
                self._changed(change, effects[0], event)

    def _replied(self, reply: SendReply, effect: Effect, event: Event) -> None:
        talk = self._talks.by_ticket[reply.ticket_id]
        if reply.to != talk.letter.who.email:
            self._went_wrong(event, f"a reply to {reply.to} about the ticket of {talk.letter.who.email}")
        if effect.step != FOLLOW_UP:
            self._expect(self._talks.replied(reply, at=event.at, not_before=self._now))

    def _changed(self, change: Action, effect: Effect, event: Event) -> None:
        talk = self._talks.by_ticket.get(effect.run_id.removeprefix("support/"))
        if talk is None:
            return
        found = judge(change, talk.truth, intent=talk.taken_for)
        if isinstance(change, RefundOrder):
            wrong = not found.right
            self._count(event, refunds=1, refunds_wrong=int(wrong))
            if wrong:
                self._count(event, refunds_wrong_money=change.amount.amount)
        if found.severe:
            self._went_wrong(event, f"{change.summary()}: {found.why}")

    def _went_wrong(self, event: Event, what: str) -> None:
        self.severe.append(f"{event.at:%Y-%m-%d} {what}")
        self._count(event, severe=1)

    def _expect(self, letter: NextLetter | None) -> None:
        if letter is not None:
            self.letters.append(letter)

    def _count(self, event: Event, **more: object) -> None:
        day = (event.at - self._scenario.midnight(1)).days + 1
        if self._tally.knows(day):
            self._tally.add(day, **more)
