"""The one door: every caller's decision is checked by one rule, recorded once, and answered in words."""

import asyncio
from typing import Any

import pytest

from domain.approvals import ApprovalDecisionRefused, ApprovalStatus, Verb, Via
from domain.decisions import Mode
from domain.entities import OrderStatus
from domain.errors import DecisionRefused, InvalidFields, NotFound, Overtaken
from tests.workflow import sample
from tests.workflow.conftest import World, decision, wish
from tests.workflow.test_governed_action import approval_of, furnish, newer
from tests.workflow.waiting import until
from workflows.deciding import Decided, NotDecided


@pytest.fixture
def max_cached_workflows() -> int:
    """The door is outside the runs: that they replay is shown elsewhere."""
    return 500


async def test_a_decision_names_the_door_it_came_through(world: World) -> None:
    """It stands in the record of the decision."""
    await furnish(world)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    decided = await world.decider().decide(wish(approval, via=Via.MCP))
    assert (decided.said, decided.run_id, decided.held_until) == ("recorded: approve", run.id, None)
    assert await run.result() == "committed"
    kept = (await approval_of(world, approval.approval_id)).decision
    assert kept is not None
    assert kept.via is Via.MCP


async def test_a_raw_signal_has_a_door_of_its_own_whatever_it_says(world: World) -> None:
    """It cannot pass for the console."""
    await furnish(world)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    await run.signal("decide", decision(approval, Verb.APPROVE, via=Via.CONSOLE).model_dump(mode="json"))
    assert await run.result() == "committed"
    kept = (await approval_of(world, approval.approval_id)).decision
    assert kept is not None
    assert kept.via is Via.WEB_UI_SIGNAL


async def test_a_double_click_is_one_decision_even_after_the_run_is_over(world: World) -> None:
    """Two at once and one much later: one record, one effect, three answers."""
    shop = await furnish(world)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    wanted = wish(approval)
    await asyncio.gather(*(world.decider().decide(wanted) for _ in range(2)))
    assert await run.result() == "committed"
    assert (await world.decider().decide(wanted)).said == "already recorded: approve"
    decided = [e for e in await world.kept.log.read(stream=f"approval/{approval.approval_id}") if e.type == "approval.decided"]
    assert (len(decided), shop.executed) == (1, 1)


async def test_what_was_shown_and_moved_is_refused_with_what_moved(world: World) -> None:
    """The page is older than the question: the answer names the new question and the difference."""
    shop = await furnish(world)
    run = await world.probe(sample.cancel())
    first = await world.pending(run.id)
    await shop.put_orders([sample.order(tracking="X1")])
    await world.decider().decide(wish(first))
    second = await until(lambda: newer(world, run.id, first))
    for stale in (wish(first), wish(second, digest=first.proposal.digest)):
        with pytest.raises(Overtaken) as refused:
            await world.decider().decide(stale)
        assert refused.value.asked_anew == second.approval_id
        assert any("tracking" in line for line in refused.value.moved)
    await world.decider().decide(wish(second))
    assert await run.result() == "committed"


async def test_an_edit_is_taken_as_json_and_checked_field_by_field(world: World) -> None:
    """What does not fit names its field and is no decision; what fits is done."""
    delivered = sample.order(status=OrderStatus.DELIVERED, delivered_at=sample.PLACED)
    shop = await furnish(world, delivered)
    run = await world.probe(sample.refund(15))
    approval = await world.pending(run.id)
    edited: dict[str, Any] = approval.proposal.action.model_dump(mode="json")
    wrong = {**edited, "amount": {"amount": "a lot", "currency": "EUR"}, "colour": "red"}
    with pytest.raises(InvalidFields) as refused:
        await world.decider().decide(wish(approval, Verb.EDIT, edited=wrong))
    assert set(refused.value.problems) == {"amount.amount", "colour"}
    with pytest.raises(InvalidFields):
        await world.decider().decide(wish(approval, Verb.EDIT, edited={}))
    for impossible in ({"amount": "9999", "currency": "EUR"}, {"amount": "5", "currency": "USD"}):
        with pytest.raises(DecisionRefused, match="can be paid back, not"):
            await world.decider().decide(wish(approval, Verb.EDIT, edited={**edited, "amount": impossible}))
    await world.decider().decide(wish(approval, Verb.EDIT, edited={**edited, "amount": {"amount": "12", "currency": "EUR"}}))
    assert await run.result() == "committed"
    assert (await shop.snapshot())["orders"]["1001"]["refunds"][0]["amount"]["amount"] == "12"


async def test_an_edit_that_the_auditor_would_refuse_leaves_the_question_open(world: World) -> None:
    """A slip is said at the door; the same question takes the next answer."""
    delivered = sample.order(status=OrderStatus.DELIVERED, delivered_at=sample.PLACED)
    await furnish(world, delivered)
    run = await world.probe(sample.refund(15))
    approval = await world.pending(run.id)
    edited = {**approval.proposal.action.model_dump(mode="json"), "amount": {"amount": "7.123", "currency": "EUR"}}
    with pytest.raises(DecisionRefused, match=r"7\.123 EUR is not an amount that can be refunded"):
        await world.decider().decide(wish(approval, Verb.EDIT, edited=edited))
    assert (await approval_of(world, approval.approval_id)).status is ApprovalStatus.PENDING
    await world.decider().decide(wish(approval))
    assert await run.result() == "committed"


async def test_a_decision_that_does_not_count_is_kept_for_the_audit_trail(world: World) -> None:
    """Who tried, through which door, and why it did not count; trying it again adds nothing."""
    await furnish(world)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    bad = wish(approval, by="mallory", via=Via.MAIL_LINK)
    for _ in range(2):
        with pytest.raises(DecisionRefused, match="may not decide"):
            await world.decider().decide(bad)
    events = await world.kept.log.read(stream=f"approval/{approval.approval_id}")
    (kept,) = [e for e in events if e.type == ApprovalDecisionRefused.type]
    assert (kept.actor, kept.data["via"]) == ("mallory", "mail-link")
    await world.decide(approval)
    assert await run.result() == "committed"


async def test_each_row_of_a_batch_counts_for_itself(world: World) -> None:
    """One is unknown, one is not for this decider, one lacks its reason: the others are decided."""
    shop = await furnish(world, sample.order(), sample.order("1002"))
    runs = [await world.probe(sample.cancel(number)) for number in ("1001", "1002")]
    one, two = [await world.pending(run.id) for run in runs]
    rows = [wish(one), wish(one, approval_id="nothing"), wish(two, by="mallory"), wish(two, Verb.REJECT), wish(two)]
    results = await world.decider().decide_all(rows)
    assert [type(r) for r in results] == [Decided, NotDecided, NotDecided, NotDecided, Decided]
    assert [r.kind for r in results if isinstance(r, NotDecided)] == [NotFound.__name__, *[DecisionRefused.__name__] * 2]
    assert [await run.result() for run in runs] == ["committed", "committed"]
    assert shop.executed == 2


async def test_a_snooze_is_one_wish_too(world: World) -> None:
    """Sent twice it counts once, and the question still waits."""
    await furnish(world, mode=Mode.ASK)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    later = wish(approval, Verb.SNOOZE, snooze_until=approval.expires_at.replace(year=approval.requested_at.year + 9))
    with pytest.raises(DecisionRefused, match="before the approval expires"):
        await world.decider().decide(later)
    wanted = wish(approval, Verb.SNOOZE, snooze_until=(approval.requested_at + (approval.expires_at - approval.requested_at) / 2))
    said = [(await world.decider().decide(wanted)).said for _ in range(2)]
    assert said == ["recorded: snooze", "already recorded: snooze"]
    assert (await approval_of(world, approval.approval_id)).snoozed_until == wanted.snooze_until
