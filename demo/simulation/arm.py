"""One arm of the simulation: the days of a shop on the real workflows, with learning or without.

A day is a few stretches of virtual time. Within one, what happens by itself is told to the log in order and wakes
runs at its own time; at the end of each, every run's clock stands at the same moment. So whatever is read at a moment
is what had happened until then.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from time import perf_counter

from temporalio.client import Client

import worker
from demo.simulation.clocks import Clocks
from demo.simulation.conversations import Conversations, NextLetter
from demo.simulation.evening import RATIFYING_MINUTES, Evening
from demo.simulation.figures import ArmFigures, Tally
from demo.simulation.floor import OPERATOR, Floor, PageReaders, severity_of_twins
from demo.simulation.letters import Letter, Post
from demo.simulation.owner import Owner
from demo.simulation.punctual import PunctualGateway
from demo.simulation.scenario import Scenario, ShockKind
from demo.simulation.watch import Watch
from domain.approvals import Approval, ApprovalStatus
from domain.entities import Direction, Message, PurchaseOrder, Shop
from domain.errors import DecisionRefused, SetupError
from domain.events import MessageReceived
from domain.flags import AUTONOMY, DEFAULT_FLAGS, LEARNING, FlagSet
from domain.runs import Run
from memory import Memory
from staff import Outside
from workflows import options
from workflows.learning_cycle import LearningCycleWorkflow, LearnStart
from workflows.relay import Relay

_ROUNDS = 8  # of decisions in one session: an answer can lead to another question
_SHOP_CLOSES, _NIGHT = timedelta(hours=20), timedelta(hours=22)
_UPKEEP, _CONTENT, _STOCK, _DIGEST = timedelta(hours=3), timedelta(hours=5), timedelta(hours=6), timedelta(hours=7)

DayDone = Callable[[int], None]


@dataclass(frozen=True)
class Happening:
    """Something that comes about by itself at a moment."""

    at: datetime
    tell: Callable[[], Awaitable[object]]


class Arm:
    """``kept`` is a database of the arm's own, freshly migrated; ``client`` a namespace of its own."""

    def __init__(self, kept: Memory, client: Client, outside: Outside, *, scenario: Scenario, seed: int, learning: bool) -> None:
        self._kept = kept
        self._scenario = scenario
        self._seed = seed
        self._learning = learning
        self._tally = Tally()
        self._clocks = Clocks(client, now=scenario.midnight(1))
        self._gateway = PunctualGateway(self._clocks)
        self._relay = Relay(outbox=kept.outbox, gateway=self._gateway, policies=kept.policies)
        self._readers = PageReaders(kept, seed=seed)
        self._outside = replace(outside, analytics=self._readers)
        self._floor = Floor(kept, dict(outside.connectors), scenario=scenario, seed=seed, tally=self._tally)
        self._evening = Evening(kept)
        self._talks = Conversations(seed=seed, thanks=scenario.thanks)
        self._watch = Watch(kept, self._talks, scenario=scenario, tally=self._tally)
        self._due: list[Happening] = []
        self._placed: list[PurchaseOrder] = []

    async def live(self, days: int, *, done: DayDone) -> ArmFigures:
        """Live through ``days`` days and tell ``done`` after each."""
        began = perf_counter()
        async with AsyncExitStack() as working:
            await self._floor.open()
            if not self._learning:
                await self._floor.tell(self._clocks.now, *(_switched_off(key, self._clocks.now) for key in (LEARNING, AUTONOMY)))
            self._post = Post(self._floor.products, scenario=self._scenario, seed=self._seed)
            self._owner = await self._owner_of_the_shop()
            for one in worker.workers(self._clocks.client, self._kept, self._outside):
                await working.enter_async_context(one)
            for day in range(1, days + 1):
                await self._day(day)
                done(day)
        return await self._figures(perf_counter() - began)

    async def _day(self, day: int) -> None:
        midnight = self._scenario.midnight(day)
        self._tally.begin(day, midnight.date().isoformat())
        self._readers.today = midnight.date()
        await self._shocks(day, midnight)
        self._expect_the_day(day, midnight)
        for hour in self._scenario.sessions:
            await self._until(midnight + timedelta(hours=hour))
            await self._decide()
        await self._until(midnight + _NIGHT)
        await self._learn(midnight)
        await self._floor.count_visitors(day)
        decided = await self._evening.go_through(self._clocks.now)
        self._tally.add(day, decisions=decided, minutes=decided * RATIFYING_MINUTES)

    async def _shocks(self, day: int, midnight: datetime) -> None:
        """Policies that the scenario changes on this morning. Only who learns tries things out."""
        kinds = (ShockKind.POLICY, ShockKind.CANDIDATE) if self._learning else (ShockKind.POLICY,)
        for shock in (s for s in self._scenario.shocks if s.day == day and s.kind in kinds):
            if shock.kind is ShockKind.POLICY:
                await self._floor.put_in_force(shock.name, shock.change, at=midnight, why="how it shall be from now on")
            else:
                await self._floor.try_out(shock.name, shock.change, at=midnight)

    def _expect_the_day(self, day: int, midnight: datetime) -> None:
        """What will happen by itself: runs that start by the clock, orders, parcels, mails, sales."""
        floor, starts = self._floor, self._gateway
        self._happens(midnight + _UPKEEP, lambda: starts.start_upkeep(now=self._clocks.now))
        self._happens(midnight + _CONTENT, lambda: starts.start_content(now=self._clocks.now))
        self._happens(midnight + _STOCK, lambda: starts.start_replenishment(now=self._clocks.now))
        self._happens(midnight + _DIGEST, lambda: starts.start_digest(now=self._clocks.now))
        for parcel in floor.todays_parcels(day):
            self._happens(parcel.order.placed_at, partial(floor.place, parcel))
        for parcel in floor.parcels:
            if midnight <= parcel.ships_at < midnight + timedelta(days=1):
                self._happens(parcel.ships_at, partial(floor.ship, parcel))
            if midnight <= parcel.arrives_at < midnight + timedelta(days=1):
                self._happens(parcel.arrives_at, partial(floor.deliver, parcel))
        for letter in self._post.letters(day, floor.parcels):
            self._talks.open(letter)
            self._happens(letter.at, partial(self._first_letter, letter))
        self._happens(midnight + _SHOP_CLOSES, lambda: floor.sell(day, self._clocks.now))

    def _happens(self, at: datetime, tell: Callable[[], Awaitable[object]]) -> None:
        self._due.append(Happening(at, tell))

    async def _until(self, moment: datetime) -> None:
        """Live up to ``moment``: tell what happens, wake whom it concerns, and put every clock there."""
        now = sorted((h for h in self._due if h.at <= moment), key=lambda h: h.at)
        self._due = [h for h in self._due if h.at > moment]
        for happening in now:
            self._clocks.now = max(self._clocks.now, happening.at)
            await happening.tell()
            await self._relay.deliver()
        await self._clocks.advance(moment)
        while await self._relay.deliver():
            await self._clocks.advance(moment)
        await self._notice()

    async def _learn(self, midnight: datetime) -> None:
        """The nightly cycle, once everything of the day is told: it sees what happened until then, and nothing later."""
        if not self._learning:
            return
        await self._clocks.client.start_workflow(
            LearningCycleWorkflow.run,
            LearnStart(day=midnight.date().isoformat()),
            id=f"learn/{midnight.date().isoformat()}",
            task_queue=options.ORCHESTRATION,
            task_timeout=options.TASK,
        )
        await self._until(midnight + _NIGHT)

    async def _notice(self) -> None:
        """Read what the runs did, and let the world react to it."""
        await self._watch.look(self._clocks.now)
        for letter in self._watch.letters:
            self._happens(letter.at, partial(self._next_letter, letter))
        self._watch.letters.clear()
        for order in self._watch.purchases:
            at = max(await self._floor.arrival(order), self._clocks.now)
            self._happens(at, partial(self._floor.receive, order, at))
        self._placed += self._watch.purchases
        self._watch.purchases.clear()

    async def _decide(self) -> None:
        """A session of the operator: everything that waits is answered."""
        for _ in range(_ROUNDS):
            pending = await self._kept.state.find(Approval, status=ApprovalStatus.PENDING)
            if not pending:
                return
            await asyncio.gather(*map(self._answer, pending))
            await self._clocks.rest({a.proposal.run_id for a in pending})
            await self._notice()

    async def _answer(self, approval: Approval) -> None:
        answered = self._owner.answer(approval)
        try:
            await self._gateway.decide(approval, answered.decision, now=self._clocks.now)
        except DecisionRefused:
            return  # something newer made it moot meanwhile
        self._tally.add(self._today, decisions=1, minutes=answered.minutes)

    async def _first_letter(self, letter: Letter) -> None:
        await self._receive(
            letter.ticket_id, letter.at, f"{letter.key}-1", letter.who.email, letter.written.subject, letter.written.body
        )

    async def _next_letter(self, letter: NextLetter) -> None:
        first = self._talks.by_ticket[letter.ticket_id].letter
        subject = f"Re: {first.written.subject}"
        await self._receive(letter.ticket_id, letter.at, f"{first.key}-{letter.number}", first.who.email, subject, letter.body)

    async def _receive(self, ticket_id: str, at: datetime, message: str, sender: str, subject: str, body: str) -> None:
        message_id = f"{message}@{sender.partition('@')[2]}"
        mail = Message(message_id=message_id, direction=Direction.INBOUND, sender=sender, at=at, body=body)
        await self._floor.tell(at, MessageReceived(ticket_id=ticket_id, source="mail", subject=subject, message=mail))

    @property
    def _today(self) -> int:
        return (self._clocks.now - self._scenario.midnight(1)).days + 1

    async def _owner_of_the_shop(self) -> Owner:
        shop = await self._kept.state.get(Shop, "self")
        if shop is None:
            raise SetupError("the shop has no name", hint="this is a fault of the simulation")
        return Owner(name=OPERATOR, signature=shop.signature, talks=self._talks, seed=self._seed, noticed=self._scenario.noticed)

    async def _figures(self, seconds: float) -> ArmFigures:
        for talk in self._talks.by_ticket.values():
            day = (talk.letter.at - self._scenario.midnight(1)).days + 1
            waited = (talk.answered_at - talk.letter.at) / timedelta(minutes=1) if talk.answered_at else None
            self._tally.add(
                day,
                tickets=1,
                right=int(talk.right),
                unaided=int(talk.right and not talk.helped),
                response_minutes=() if waited is None else (round(waited, 1),),
            )
        severe = (*self._watch.severe, *severity_of_twins(self._placed))
        head = await self._kept.log.head()
        return ArmFigures(
            learning=self._learning,
            days=self._tally.days(),
            learned=tuple(self._watch.learned),
            severe=severe,
            events=head.seq,
            runs=len(await self._kept.state.find(Run)),
            seconds=seconds,
        )


def _switched_off(key: str, now: datetime) -> FlagSet:
    return FlagSet(flag=DEFAULT_FLAGS[key].model_copy(update={"on": False}), by=OPERATOR, at=now)
