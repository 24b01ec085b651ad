"""The contract of sources that are called: what was signed is heard once, in whatever order it comes, and nothing else is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

import memory
from activities.intake import Intake
from domain.connections import Webhook
from domain.errors import InvalidInput, NotSigned
from domain.ports import Source
from models.embedding import HashingEmbedder
from tests.contract.every_source import NONSENSE
from tests.contract.outside_cases import LATER, NOW


@dataclass(frozen=True)
class CalledCase:
    """``sign`` gives the headers of a body that is sent at a moment. ``bodies`` are what happened, in order, one thing after
    the other happening to the same entity; ``state`` is what is then known of it. ``timed``: a call's time is signed with it.
    """

    source: Source
    sign: Callable[[bytes, datetime], Mapping[str, str]]
    bodies: tuple[bytes, ...]
    state: Callable[[memory.Memory], Awaitable[object]]
    timed: bool = True

    def call(self, body: bytes, at: datetime = NOW) -> Webhook:
        return Webhook(headers=self.sign(body, at), body=body, at=at)


async def heard(case: CalledCase, bodies: tuple[bytes, ...]) -> memory.Memory:
    """What is known after ``bodies`` came in this order, each of them twice."""
    kept = memory.in_memory(embedder=HashingEmbedder())
    intake = Intake(inbox=kept.inbox, log=kept.log, state=kept.state)
    for body in bodies:
        for _ in range(2):
            await intake.accept("case", case.source.verify_webhook(case.call(body)), now=NOW)
        await intake.understand("case", case.source, now=NOW)
    return kept


class EveryCalledSource:
    """Whoever subclasses it gives the fixture ``called``."""

    async def test_what_happened_is_heard_once(self, called: CalledCase) -> None:
        """Sent twice, and once more much later under another signature."""
        kept = await heard(called, called.bodies)
        events = await kept.log.read()
        assert len(events) >= len(called.bodies)
        intake = Intake(inbox=kept.inbox, log=kept.log, state=kept.state)
        for body in called.bodies:
            await intake.accept("case", called.source.verify_webhook(called.call(body, LATER)), now=LATER)
        await intake.understand("case", called.source, now=LATER)
        assert await kept.log.read() == events

    async def test_the_order_of_calls_does_not_matter_in_the_end(self, called: CalledCase) -> None:
        """The last word first: what comes after it is behind it."""
        forwards, backwards = await heard(called, called.bodies), await heard(called, called.bodies[::-1])
        last = await heard(called, called.bodies[-1:])
        assert await called.state(forwards) == await called.state(backwards)
        assert await called.state(last) == await called.state(backwards)

    def test_what_was_changed_on_its_way_is_refused(self, called: CalledCase) -> None:
        body = called.bodies[0]
        for changed in (body[:-1], body + b" ", body.replace(b"1", b"2")):
            with pytest.raises(NotSigned):
                called.source.verify_webhook(Webhook(headers=called.sign(body, NOW), body=changed, at=NOW))
        with pytest.raises(NotSigned):
            called.source.verify_webhook(Webhook(headers={}, body=body, at=NOW))

    def test_an_old_call_is_refused(self, called: CalledCase) -> None:
        """Where its time is signed."""
        old = Webhook(headers=called.sign(called.bodies[0], NOW), body=called.bodies[0], at=NOW + timedelta(minutes=6))
        if called.timed:
            with pytest.raises(NotSigned):
                called.source.verify_webhook(old)
        else:
            assert called.source.verify_webhook(old)

    async def test_signed_nonsense_is_refused_or_means_nothing(self, called: CalledCase) -> None:
        """And raises nothing but errors of its own."""
        kept = memory.in_memory(embedder=HashingEmbedder())
        intake = Intake(inbox=kept.inbox, log=kept.log, state=kept.state)
        for nonsense in NONSENSE:
            try:
                records = called.source.verify_webhook(called.call(nonsense))
            except InvalidInput:
                continue
            await intake.accept("case", records, now=NOW)
        await intake.understand("case", called.source, now=NOW)
        assert await kept.log.read() == []
