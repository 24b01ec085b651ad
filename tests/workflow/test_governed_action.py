"""The one way out, on the real Temporal server with skipping clocks."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError

from activities.steps import SettleInput
from connectors.fakes import InMemoryShop
from domain.actions import Capability, ChangeAddress, PublishContent, RefundOrder
from domain.approvals import Approval, ApprovalStatus, Decision, Verb
from domain.decisions import Mode
from domain.effects import EffectStatus
from domain.entities import ContentPiece, Order, OrderStatus
from domain.errors import DecisionRefused, Permanent, Refused, Retryable, Unknown
from domain.money import Money
from domain.policies import ApprovalPolicy, GatePolicy, PolicyActivated, PolicyVersion
from domain.runs import Alert, KillSwitchSet, Run
from tests.workflow import sample
from tests.workflow.conftest import World, decision
from tests.workflow.waiting import until

PIECE = ContentPiece(slug="mugs", kind="buying-guide", title="Mugs", description="Of mugs.", body="# Mugs", keyword="mug")


async def furnish(world: World, *orders: Order, mode: Mode = Mode.ASK) -> InMemoryShop:
    """The sample business inside, its orders outside."""
    orders = orders or (sample.order(),)
    await world.record(*sample.business(*orders))
    await world.mode("support", mode)
    shop = world.connectors[Capability.SHOP]
    assert isinstance(shop, InMemoryShop)
    await shop.put_orders(orders)
    return shop


async def status_outside(shop: InMemoryShop, order_id: str = "1001") -> str:
    return str((await shop.snapshot())["orders"][order_id]["status"])


async def approval_of(world: World, approval_id: str) -> Approval:
    found = await world.kept.state.get(Approval, approval_id)
    assert found is not None
    return found


async def test_an_allowed_action_is_done_and_leaves_an_event_with_before_and_after(world: World) -> None:
    """In auto mode a reversible action within policy goes straight through."""
    shop = await furnish(world, mode=Mode.AUTO)
    run = await world.probe(sample.cancel())
    assert await run.result() == "committed"
    assert await status_outside(shop) == "cancelled"
    event = (await world.kept.log.read(stream="order/1001"))[-1]
    assert (event.pre or {})["status"] == "paid"
    assert event.post["status"] == "cancelled"
    assert event.policy_versions


async def test_an_approval_lets_exactly_the_shown_action_happen(world: World) -> None:
    """Nothing happens before the operator's yes; after it, once."""
    shop = await furnish(world)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    assert await status_outside(shop) == "paid"
    assert await world.decide(approval) == "recorded: approve"
    assert await run.result() == "committed"
    assert shop.executed == 1
    assert (await approval_of(world, approval.approval_id)).decided_by == "operator"


async def test_an_edited_action_is_audited_again_and_done_without_a_second_question(world: World) -> None:
    """Edit then approve is one step where the edited action is clean."""
    shop = await furnish(world, sample.order(status=OrderStatus.DELIVERED, delivered_at=sample.PLACED))
    run = await world.probe(sample.refund(15))
    approval = await world.pending(run.id)
    edited = RefundOrder(order_id="1001", amount=Money.of(12), reason="half of it")
    await world.decide(approval, Verb.EDIT, action=edited)
    assert await run.result() == "committed"
    assert (await shop.snapshot())["orders"]["1001"]["refunds"][0]["amount"]["amount"] == "12"
    assert (await approval_of(world, approval.approval_id)).status is ApprovalStatus.EDITED


async def test_an_edit_that_breaks_an_invariant_is_refused_and_the_question_comes_back(world: World) -> None:
    """It passes the auditor like everything else. What was asked is asked again, with what is said against the edit."""
    shop = await furnish(world, sample.order(status=OrderStatus.DELIVERED, delivered_at=sample.PLACED))
    run = await world.probe(sample.refund(15))
    first = await world.pending(run.id)
    await world.decide(first, Verb.EDIT, action=RefundOrder(order_id="1001", amount=Money.of("7.123"), reason="generous"))
    second = await until(lambda: newer(world, run.id, first))
    assert second.proposal.action == first.proposal.action
    assert second.proposal.gate.reasons[0].startswith("your edit was refused: 7.123 EUR is not an amount")
    assert (second.replaces, second.on_expiry, shop.executed) == (first.proposal.digest, "reject", 0)
    await world.decide(second)
    assert (await run.result(), shop.executed) == ("committed", 1)


async def test_a_page_whose_text_was_taken_out_is_not_published(world: World) -> None:
    """Whatever the kind of action is, the question comes back."""
    await furnish(world)
    await world.mode("support", Mode.ASK)
    run = await world.probe(sample.planned(PublishContent(piece=PIECE), "page"))
    first = await world.pending(run.id)
    await world.decide(first, Verb.EDIT, action=PublishContent(piece=PIECE.model_copy(update={"body": " \n"})))
    second = await until(lambda: newer(world, run.id, first))
    assert "the page has no text" in second.proposal.gate.reasons[0]
    await world.decide(second, Verb.REJECT, reason="not now")
    assert await run.result() == "rejected"


async def test_a_rejection_ends_it_and_teaches(world: World) -> None:
    """Nothing happens outside; the reason is on record."""
    shop = await furnish(world)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    await world.decide(approval, Verb.REJECT, reason="she called and keeps it")
    assert await run.result() == "rejected"
    assert shop.executed == 0
    kept = await approval_of(world, approval.approval_id)
    assert kept.decision is not None
    assert kept.decision.reason == "she called and keeps it"


async def test_a_record_that_moved_makes_the_approval_stale_and_asks_anew(world: World) -> None:
    """The yes was to something else: the new question says what moved."""
    shop = await furnish(world)
    run = await world.probe(sample.cancel())
    first = await world.pending(run.id)
    await shop.put_orders([sample.order(tracking="X1")])
    await world.decide(first)
    second = await until(lambda: newer(world, run.id, first))
    assert any("tracking" in line for line in second.moved)
    assert shop.executed == 0
    await world.decide(second)
    assert await run.result() == "committed"
    assert shop.executed == 1


async def newer(world: World, run_id: str, old: Approval) -> Approval | None:
    found = await world.kept.state.find(Approval, status=ApprovalStatus.PENDING)
    return next((a for a in found if a.proposal.run_id == run_id and a.approval_id != old.approval_id), None)


async def test_a_policy_that_changed_makes_the_approval_stale(world: World) -> None:
    """What was shown was shown under another policy."""
    await furnish(world)
    run = await world.probe(sample.cancel())
    first = await world.pending(run.id)
    version = PolicyVersion(
        version=1,
        document=GatePolicy().model_dump(mode="json"),
        proposed_by="operator",
        approved_by="operator",
        at=datetime.now(UTC),
    )
    await world.record(PolicyActivated(name="gate", version=version))
    await world.decide(first)
    second = await until(lambda: newer(world, run.id, first))
    assert any("policy gate" in line for line in second.moved)
    await world.decide(second)
    assert await run.result() == "committed"


async def test_a_question_is_reminded_escalated_and_expires_with_its_default(world: World) -> None:
    """Days pass: a reminder, an urgent alert, then the declared default, which is never yes."""
    shop = await furnish(world)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    await world.env.fast_forward(run, timedelta(days=4))
    assert await run.result() == "expired"
    kept = await approval_of(world, approval.approval_id)
    assert kept.status is ApprovalStatus.EXPIRED
    assert kept.reminders == 2
    assert kept.escalated
    assert shop.executed == 0
    assert any(a.level == "urgent" for a in await world.kept.state.find(Alert))


async def lapsing_into_yes(world: World, *kinds: str) -> None:
    """The operator chose that silence is a yes to actions of these kinds."""
    document = ApprovalPolicy(on_expiry=dict.fromkeys(kinds, "approve")).model_dump(mode="json")
    version = PolicyVersion(version=1, document=document, proposed_by="operator", approved_by="operator", at=datetime.now(UTC))
    await world.record(PolicyActivated(name="approval", version=version))


async def test_silence_is_a_yes_where_the_operator_chose_so(world: World) -> None:
    """A clean reply goes out when its time is up, and the record says that nobody decided."""
    await furnish(world)
    await lapsing_into_yes(world, "send-reply")
    run = await world.probe(sample.reply("We look into it and write again."))
    approval = await world.pending(run.id)
    assert approval.on_expiry == "approve"
    await world.env.fast_forward(run, timedelta(days=4))
    assert await run.result() == "committed"
    kept = await approval_of(world, approval.approval_id)
    assert (kept.status, kept.decided_by, kept.decision) == (ApprovalStatus.APPROVED, "expiry", None)
    assert kept.reminders == 2


async def test_silence_is_no_yes_to_a_reply_that_the_auditor_holds(world: World) -> None:
    """Whatever the operator chose: the question lapses and nothing leaves."""
    await furnish(world)
    await lapsing_into_yes(world, "send-reply")
    run = await world.probe(sample.reply("We refunded 900 EUR."))
    assert (await world.pending(run.id)).on_expiry == "reject"
    await world.env.fast_forward(run, timedelta(days=4))
    assert await run.result() == "expired"


async def test_a_snooze_puts_the_reminder_off_but_not_the_expiry(world: World) -> None:
    """After a snooze of a day, twenty hours pass without a nudge."""
    await furnish(world)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    await world.decide(approval, Verb.SNOOZE, snooze_until=approval.requested_at + timedelta(hours=24))
    await world.env.fast_forward(run, timedelta(hours=20))
    assert (await approval_of(world, approval.approval_id)).reminders == 0
    await world.decide(approval)
    assert await run.result() == "committed"


async def test_the_same_decision_twice_counts_once(world: World) -> None:
    """A double click, a retried call: one record, one effect."""
    shop = await furnish(world)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    made = decision(approval, Verb.APPROVE)
    answers = await asyncio.gather(*(world.gateway.decide(approval, made, now=approval.requested_at) for _ in range(2)))
    assert await run.result() == "committed"
    assert len(set(answers)) == 1
    assert shop.executed == 1
    decided = [e for e in await world.kept.log.read(stream=f"approval/{approval.approval_id}") if e.type == "approval.decided"]
    assert len(decided) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"digest": "0" * 64}, "changed since"),
        ({"by": "mallory"}, "may not decide"),
        ({"approval_id": "nothing"}, "nothing waits"),
        ({"verb": Verb.REJECT}, "needs a reason"),
        ({"verb": Verb.EDIT}, "needs the edited action"),
        ({"verb": Verb.EDIT, "action": RefundOrder(order_id="9", amount=Money.of(1), reason="x")}, "into another"),
        ({"verb": Verb.SNOOZE, "snooze_until": datetime(2020, 1, 1, tzinfo=UTC)}, "in the future"),
    ],
)
async def test_a_decision_that_does_not_count_is_refused_at_the_update(world: World, change: dict[str, Any], says: str) -> None:
    """The validator turns it away before it is in the history, and the question still waits."""
    await furnish(world)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    bad = decision(approval, Verb.APPROVE).model_copy(update=change)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await run.execute_update("decide", bad)
    assert says in str(refused.value.cause)
    await world.decide(approval)
    assert await run.result() == "committed"


async def test_the_gateway_refuses_what_the_shown_approval_already_rules_out(world: World) -> None:
    """The same rule, before anything is sent."""
    await furnish(world)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    bad: Decision = decision(approval, Verb.APPROVE, by="mallory")
    with pytest.raises(DecisionRefused):
        await world.gateway.decide(approval, bad, now=approval.requested_at)
    await world.decide(approval)
    assert await run.result() == "committed"


@pytest.mark.parametrize("payload", [{"verb": "approve"}, "yes", [1, 2], {"by": "x" * 5000, "approval_id": 7}, None])
async def test_a_signal_with_a_bad_payload_is_survived_and_changes_nothing(world: World, payload: Any) -> None:
    """Whatever the Web UI sends, the run stands and still waits."""
    await furnish(world)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    await run.signal("decide", payload)
    await world.decide(approval)
    assert await run.result() == "committed"


async def test_a_refused_signal_is_recorded_and_a_good_one_counts(world: World) -> None:
    """The second door leads to the same rule and the same record."""
    shop = await furnish(world)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    good = decision(approval, Verb.APPROVE).model_dump(mode="json")
    await run.signal("decide", {**good, "digest": "0" * 64})
    await run.signal("decide", good)
    assert await run.result() == "committed"
    assert shop.executed == 1
    assert any("changed since" in line for line in (await approval_of(world, approval.approval_id)).refused)


async def test_a_full_bound_is_asked_about_twice_and_then_says_so(world: World) -> None:
    """A yes does not make room: the run ends with what was in the way."""
    shop = await furnish(world, *(sample.order(name) for name in ("1001", "1002", "1003")), mode=Mode.AUTO)
    run = await world.probe(*(sample.cancel(name, step=name) for name in ("1001", "1002", "1003")))
    first = await world.pending(run.id)
    await world.decide(first)
    await world.decide(await until(lambda: newer(world, run.id, first)))
    assert await run.result() == "committed,committed,refused"
    assert shop.executed == 2


async def test_the_kill_switch_stops_an_approved_effect_and_the_question_comes_back(world: World) -> None:
    """Switched on while it waits: the yes has no effect; after switching off it is asked anew, not lost."""
    shop = await furnish(world)
    run = await world.probe(sample.cancel())
    first = await world.pending(run.id)
    await world.record(KillSwitchSet(on=True, reason="strange mails", by="operator"))
    await world.decide(first)
    second = await until(lambda: newer(world, run.id, first))
    assert any("kill switch" in reason for reason in second.proposal.gate.reasons)
    assert shop.executed == 0
    await world.record(KillSwitchSet(on=False, by="operator"))
    await world.decide(second)
    assert await run.result() == "committed"


async def test_a_passing_outage_is_waited_out(world: World) -> None:
    """Retryable: the same key is tried again, and there is one effect."""
    shop = await furnish(world, mode=Mode.AUTO)
    shop.fail_next(Retryable("503"))
    run = await world.probe(sample.cancel())
    assert await run.result() == "committed"
    assert shop.executed == 1


async def test_a_permanent_refusal_fails_the_action_and_says_so(world: World) -> None:
    """It is not repeated, and it stands in the run's record."""
    shop = await furnish(world, mode=Mode.AUTO)
    shop.fail_next(Permanent("the order is locked"))
    run = await world.probe(sample.cancel())
    assert await run.result() == "failed"
    assert shop.executed == 0
    effects = await world.kept.ledger.effects(run_id=run.id)
    assert [e.status for e in effects] == [EffectStatus.FAILED]


@pytest.mark.parametrize("happened", [True, False])
async def test_an_unknown_effect_is_looked_up_before_anything_is_repeated(world: World, happened: bool) -> None:
    """The answer was lost: find_receipt says whether it happened, and nothing is done twice."""
    shop = await furnish(world, mode=Mode.AUTO)
    shop.fail_next(Unknown("cut while reading the answer"), after=happened)
    run = await world.probe(sample.cancel())
    assert await run.result() == ("committed" if happened else "failed")
    assert shop.executed == int(happened)
    assert await status_outside(shop) == ("cancelled" if happened else "paid")


async def test_a_cancelled_saga_undoes_what_it_did_newest_first(world: World) -> None:
    """Cancelled while the second step waits for a yes: the first step is undone, the question withdrawn."""
    shop = await furnish(world, sample.order(), sample.order("1002"), sample.order("1003"), mode=Mode.AUTO)
    await world.mode("support/refund-order", Mode.ASK)
    run = await world.probe(sample.cancel("1001", "a"), sample.cancel("1002", "b"), sample.refund(5, "1003", "c"))
    approval = await world.pending(run.id)
    await run.cancel()
    with pytest.raises(WorkflowFailureError):
        await run.result()
    assert await status_outside(shop, "1001") == await status_outside(shop, "1002") == "paid"
    assert (await approval_of(world, approval.approval_id)).status is ApprovalStatus.WITHDRAWN
    undone = [e.action.order_id for e in reversed(await world.kept.ledger.effects(run_id=run.id)) if e.compensates]  # type: ignore[union-attr]
    assert undone == ["1002", "1001"]


async def test_cancellation_does_not_stop_a_compensation_that_is_under_way(world: World) -> None:
    """The outside fails while undoing; the run is cancelled again; it still gets undone."""
    shop = await furnish(world, sample.order(), sample.order("1003"), mode=Mode.AUTO)
    await world.mode("support/refund-order", Mode.ASK)
    run = await world.probe(sample.cancel(), sample.refund(5, "1003"))
    await world.pending(run.id)
    for _ in range(2):
        shop.fail_next(Retryable("503"))
    await run.cancel()
    await run.cancel()
    with pytest.raises(WorkflowFailureError):
        await run.result()
    assert await status_outside(shop) == "paid"


async def test_a_compensation_that_fails_waits_for_the_operator(world: World) -> None:
    """It is alerted, retried at the operator's word, and only then the run ends."""
    shop = await furnish(world, sample.order(), sample.order("1003"), mode=Mode.AUTO)
    await world.mode("support/refund-order", Mode.ASK)
    run = await world.probe(sample.cancel(), sample.refund(5, "1003"))
    await world.pending(run.id)
    shop.fail_next(Permanent("the order is locked"))
    await run.cancel()

    async def alerted() -> Alert | None:
        return next((a for a in await world.kept.state.find(Alert) if a.key.startswith("undo/")), None)

    key = (await until(alerted)).key.removeprefix("undo/")
    await world.gateway.settle(run.id, SettleInput(key=key, happened=False, by="operator", now=datetime.now(UTC)))
    with pytest.raises(WorkflowFailureError):
        await run.result()
    assert await status_outside(shop) == "paid"


async def test_suggest_records_and_off_refuses(world: World) -> None:
    """Neither does anything; suggest says what it would have done."""
    shop = await furnish(world, mode=Mode.SUGGEST)
    assert await (await world.probe(sample.cancel())).result() == "suggested"
    await world.mode("support", Mode.OFF)
    assert await (await world.probe(sample.cancel())).result() == "refused"
    assert shop.executed == 0


async def test_rollback_restores_the_outside_state(world: World) -> None:
    """The inverse runs under its own key; undoing twice finds nothing left; what cannot be undone is named."""
    shop = await furnish(world, sample.order(), mode=Mode.AUTO)
    before = await shop.snapshot()
    run = await world.probe(sample.cancel())
    await run.result()
    undone = await world.gateway.rollback(run.id, by="operator")
    assert len(undone.compensated) == 1
    assert await shop.snapshot() == before
    again = await world.gateway.rollback(run.id, by="operator")
    assert again.compensated == ()
    assert shop.executed == 2
    assert (await world.kept.log.verify()).ok


async def test_a_run_closes_its_record(world: World) -> None:
    """How a run ended can be read without Temporal."""
    await furnish(world, mode=Mode.AUTO)
    run = await world.probe(sample.cancel())
    await run.result()
    kept = await world.kept.state.get(Run, run.id)
    assert kept is not None
    assert (kept.status, kept.result) == ("done", "committed")


async def test_a_word_that_nobody_waits_for_is_refused(world: World) -> None:
    """Nor is it kept for later, where it would count for something else."""
    await furnish(world)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    word = SettleInput(key="some-effect", happened=True, by="operator", now=datetime.now(UTC))
    with pytest.raises(DecisionRefused):
        await world.gateway.settle(run.id, word)
    await world.decide(approval)
    assert await run.result() == "committed"


@pytest.mark.parametrize("spoiled", [{"by": "mal\x00lory"}, {"reason": "no\x00 way", "verb": "reject"}])
async def test_a_signal_that_cannot_be_stored_is_survived(world: World, spoiled: dict[str, Any]) -> None:
    """It names a question that waits, and still breaks nothing."""
    await furnish(world)
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    await run.signal("decide", decision(approval, Verb.APPROVE).model_dump(mode="json") | spoiled)

    async def refused() -> bool | None:
        return bool((await approval_of(world, approval.approval_id)).refused) or None

    await until(refused)
    await world.decide(approval)
    assert await run.result() == "committed"


async def test_one_decision_id_cannot_decide_two_questions(world: World) -> None:
    """The second question is decided by a decision of its own."""
    await furnish(world, sample.order(), sample.order("1002"))
    run = await world.probe(sample.cancel("1001", "a"), sample.cancel("1002", "b"))
    first = await world.pending(run.id)
    await run.signal("decide", decision(first, Verb.APPROVE, decision_id="1").model_dump(mode="json"))
    second = await until(lambda: newer(world, run.id, first))
    await run.signal("decide", decision(second, Verb.APPROVE, decision_id="1").model_dump(mode="json"))
    assert await run.result() == "committed,committed"


async def test_an_undo_does_not_set_back_what_was_changed_later(world: World) -> None:
    """The address moved on: the operator is told instead of the later address being lost."""
    shop = await furnish(world, mode=Mode.AUTO)
    first, later = (sample.HOME.model_copy(update={"line1": line}) for line in ("Oak Road 1", "Fir Road 2"))
    run = await world.probe(sample.planned(ChangeAddress(order_id="1001", address=first)))
    await run.result()
    await shop.put_orders([sample.order(ship_to=later)])
    undoing = asyncio.create_task(world.gateway.rollback(run.id, by="operator"))

    async def alerted() -> Alert | None:
        return next((a for a in await world.kept.state.find(Alert) if a.key.startswith("undo/")), None)

    alert = await until(alerted)
    assert "changed after" in alert.text
    assert await world.gateway.start_rollback(run.id, by="operator") == f"rollback/{run.id}"
    with pytest.raises(Refused, match="being undone now"):  # it undoes less
        await world.gateway.start_rollback(run.id, by="operator", everything=True)
    word = SettleInput(key=alert.key.removeprefix("undo/"), happened=True, by="operator", now=datetime.now(UTC))
    await world.gateway.settle(f"rollback/{run.id}", word)
    await undoing
    assert (await shop.snapshot())["orders"]["1001"]["ship_to"]["line1"] == "Fir Road 2"
