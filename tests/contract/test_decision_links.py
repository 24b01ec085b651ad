"""Decision links: one contract for Postgres and the fake, and the service that the console opens them with."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

import memory
from activities.linking import Linking
from domain.actions import Action, PublishContent, RefundOrder, SendReply, UnpublishContent
from domain.approvals import Approval, ApprovalDecided, ApprovalRequested, Decision, Verb
from domain.decisions import Diff, GateDecision, GateOutcome, Proposal, Verdict, Why
from domain.entities import ContentPiece
from domain.event import new_event
from domain.links import FORGOTTEN_AFTER, LONGEST, DeadLink, OpenLink, hash_of, new_link
from domain.money import Money
from models.embedding import HashingEmbedder
from tests.unit.domain.happenings import NOW

HOUR = timedelta(hours=1)
REPLY = SendReply(ticket_id="t", message_id="m", to="ada@example.org", sender="us@clay.example", subject="Re:", body="Dear Ada")
PIECE = ContentPiece(slug="mugs", kind="buying-guide", title="Mugs", description="Of mugs.", body="# Mugs", keyword="mug")
REFUND = RefundOrder(order_id="1001", amount=Money.of(5), reason="late")


@pytest.fixture(params=["in-memory", "postgres"])
def urls(request: pytest.FixtureRequest) -> dict[str, str] | None:
    """The addresses of the servers, started only for the tests that use them."""
    names = () if request.param == "in-memory" else ("database_url", "chroma_url")
    return {name: request.getfixturevalue(name) for name in names} or None


@pytest.fixture
async def kept(urls: dict[str, str] | None) -> AsyncIterator[memory.Memory]:
    """Memory of either kind, empty."""
    if urls is None:
        yield memory.in_memory(embedder=HashingEmbedder())
        return
    async with memory.open_memory(
        database_url=urls["database_url"], chroma_url=urls["chroma_url"], embedder=HashingEmbedder()
    ) as opened:
        yield opened


async def asked(kept: memory.Memory, action: Action = REPLY, **given: Any) -> Approval:
    """A question that waits."""
    proposal = Proposal(
        run_id="run/1",
        workflow="support",
        step="one",
        action=action,
        diff=Diff(record="r", record_version="1", before={}, after={}),
        verdict=Verdict(),
        gate=GateDecision(outcome=GateOutcome.ASK, reasons=("the mode is ask",)),
        why=Why(reason="asked"),
        policy_versions={},
        proposed_at=NOW,
    )
    times = {"requested_at": NOW, "remind_at": NOW + HOUR, "escalate_at": NOW + HOUR, "expires_at": NOW + 72 * HOUR}
    approval = Approval(**{"approval_id": "a1", "proposal": proposal, "deciders": ("operator",), **times, **given})
    await kept.log.append([new_event(ApprovalRequested(approval=approval), at=NOW, key=(approval.approval_id,))])
    return approval


def linking(kept: memory.Memory) -> Linking:
    return Linking(links=kept.links, state=kept.state)


async def issued(kept: memory.Memory, approval: Approval) -> str:
    token = await linking(kept).issue(approval, now=NOW)
    assert token is not None
    return token


async def why(kept: memory.Memory, token: str, *, after: timedelta = timedelta(0)) -> str:
    found = await linking(kept).look(token, now=NOW + after)
    return found.why if isinstance(found, DeadLink) else "open"


async def test_a_link_leads_to_its_question_and_looking_uses_nothing_up(kept: memory.Memory) -> None:
    """As often as one looks; it knows a day at most, and what may be decided without logging in."""
    approval = await asked(kept)
    token = await issued(kept, approval)
    found = [await linking(kept).look(token, now=NOW + HOUR) for _ in range(3)]
    assert isinstance(found[0], OpenLink)
    assert found[0] == found[1] == found[2]
    assert (found[0].approval_id, found[0].digest) == ("a1", approval.proposal.digest)
    assert (found[0].expires_at, found[0].needs_login) == (NOW + LONGEST, False)


async def test_of_many_who_use_a_link_one_gets_it(kept: memory.Memory) -> None:
    """All at once: the others are told that it was used; given back, it works once more."""
    token = await issued(kept, await asked(kept))
    found = await asyncio.gather(*(linking(kept).redeem(token, now=NOW + HOUR) for _ in range(8)))
    assert Counter(type(f) for f in found) == {OpenLink: 1, DeadLink: 7}
    assert "used before" in await why(kept, token)
    await linking(kept).restore(token)
    assert isinstance(await linking(kept).redeem(token, now=NOW + HOUR), OpenLink)


async def test_a_link_ends_with_a_day_or_with_its_question(kept: memory.Memory) -> None:
    """Whichever is sooner; the moment of its end is outside it, for using it too."""
    long, short = await asked(kept), await asked(kept, approval_id="a2", expires_at=NOW + HOUR)
    day, hour = await issued(kept, long), await issued(kept, short)
    assert await why(kept, day, after=LONGEST - timedelta(seconds=1)) == "open"
    assert "expired" in await why(kept, day, after=LONGEST)
    assert "expired" in await why(kept, hour, after=HOUR)
    assert not await kept.links.use(hash_of(hour), now=NOW + HOUR)


async def test_a_decided_question_has_no_links_and_gets_none(kept: memory.Memory) -> None:
    """The link that was sent says what became of it."""
    approval = await asked(kept)
    token = await issued(kept, approval)
    yes = Decision(decision_id="d", approval_id="a1", verb=Verb.APPROVE, digest=approval.proposal.digest, by="operator")
    await kept.log.append([new_event(ApprovalDecided(approval_id="a1", decision=yes, at=NOW), at=NOW, key=("d",))])
    assert await why(kept, token) == "the question is approved already"
    decided = await kept.state.get(Approval, "a1")
    assert decided is not None
    assert await linking(kept).issue(decided, now=NOW) is None


async def test_money_needs_a_login(kept: memory.Memory) -> None:
    """A link in the wrong hands moves no money."""
    found = await linking(kept).look(await issued(kept, await asked(kept, REFUND)), now=NOW)
    assert isinstance(found, OpenLink)
    assert found.needs_login


async def test_what_a_link_cannot_show_needs_a_login(kept: memory.Memory) -> None:
    """A letter that is still to be written, and a page of the site; taking one down is a line."""
    unwritten, down = REPLY.model_copy(update={"body": " "}), UnpublishContent(slug="mugs", reason="old")
    wanted: list[tuple[Action, bool]] = [(unwritten, True), (PublishContent(piece=PIECE), True), (down, False)]
    for n, (action, needs) in enumerate(wanted):
        found = await linking(kept).look(await issued(kept, await asked(kept, action, approval_id=f"b{n}")), now=NOW)
        assert isinstance(found, OpenLink)
        assert found.needs_login is needs


@pytest.mark.parametrize("token", ["", "x" * 43, "x" * 100_000, "\x00", "\ud800", "' OR 1=1 --"])
async def test_what_is_no_token_leads_nowhere(kept: memory.Memory, token: str) -> None:
    """Whatever somebody types into the address."""
    await issued(kept, await asked(kept))
    assert await why(kept, token) == "this link leads nowhere"
    assert isinstance(await linking(kept).redeem(token, now=NOW), DeadLink)


async def test_only_the_hash_is_kept_and_old_links_are_forgotten(kept: memory.Memory) -> None:
    """Two tokens differ; what is kept of one is its SHA-256; long after its expiry nothing is."""
    approval = await asked(kept)
    one, two = await issued(kept, approval), await issued(kept, approval)
    assert one != two
    assert min(len(one), len(two)) >= 43  # 32 bytes in base 64
    link = await kept.links.get(hash_of(one))
    assert link is not None
    assert one not in link.model_dump_json()
    later = new_link(
        approval.model_copy(update={"expires_at": NOW + 400 * HOUR}), "new", now=NOW + LONGEST + FORGOTTEN_AFTER + HOUR
    )
    assert later is not None
    await kept.links.put(later)
    assert await kept.links.get(hash_of(one)) is None
