"""The nightly look back over a small memory: failures once, proposals once, and a page that says it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

import memory
from activities.approvals import ApprovalActivities
from activities.back_testing import BackTester
from activities.explaining import Explainer
from activities.learning import LearningActivities
from activities.licensing import Licensing
from activities.refitting import Refitter
from activities.rewording import Reworder
from activities.runs import RunActivities
from activities.shelf import ShelfWatch
from activities.steps import DecisionNote, FinishInput, LearnInput
from agents.learner import Learner
from agents.stock_planner import StockPlanner
from domain.actions import SendReply
from domain.approvals import Approval, ApprovalRequested, Decision, Verb
from domain.autonomy import ClassRecord
from domain.decisions import Diff, GateDecision, GateOutcome, Planned, Proposal, Verdict, Why
from domain.entities import Direction, Message, Product, SalesDay
from domain.event import new_event
from domain.events import MessageReceived, ProductListed, SalesImported, StockCounted
from domain.experiments import Arm, Exposure
from domain.failures import Failure
from domain.flags import LEARNING, Flag, FlagSet
from domain.labels import Label
from domain.learning import LearningReport
from domain.money import Money
from domain.policies import AutonomyPolicy, PolicyRecord
from domain.runs import Alert, AlertLevel, AlertRaised, Run, RunStarted
from learning.steering import approved
from models.embedding import HashingEmbedder
from models.local import LocalModel
from tests.unit.learning.happened import MUG
from tests.unit.learning.trial import NOW, Trial

KEY = "support/send-reply/late/no-money"


class Shop:
    """A memory, and an operator who answers questions in it."""

    def __init__(self) -> None:
        self.kept = memory.in_memory(embedder=HashingEmbedder())
        self.trial = Trial(self.kept)
        kept = self.kept
        measurer = self.trial.measurer
        licensing = Licensing(flags=kept.flags, log=kept.log, policies=kept.policies, state=kept.state)
        self.licensing = licensing
        self.desk = ApprovalActivities(
            log=kept.log,
            state=kept.state,
            learner=Learner(state=kept.state),
            licensing=licensing,
            measurer=measurer,
        )
        self.runs = RunActivities(log=kept.log, state=kept.state, measurer=measurer, licensing=licensing)
        model = LocalModel(HashingEmbedder())
        self.shelf = ShelfWatch(measurer=self.trial.measurer, state=kept.state)
        tester = BackTester(planner=StockPlanner(state=kept.state, policies=kept.policies))
        self.steps = LearningActivities(
            log=kept.log,
            state=kept.state,
            policies=kept.policies,
            facts=kept.facts,
            flags=kept.flags,
            explainer=Explainer(model=model),
            refitter=Refitter(models=model),
            reworder=Reworder(model=model, state=kept.state),
            tester=tester,
            shelf=self.shelf,
        )

    async def answered(
        self,
        number: int,
        verb: Verb = Verb.APPROVE,
        *,
        reason: str = "",
        at: datetime = NOW,
        asked: tuple[str, ...] = ("the mode is ask",),
    ) -> None:
        """The operator was shown a reply about a late order and answered; ``asked`` says why it was shown."""
        approval = _approval(number, at, asked)
        await self.kept.log.append([new_event(ApprovalRequested(approval=approval), at=at, key=(str(number),))])
        decision = Decision(
            decision_id=f"d-{number}",
            approval_id=approval.approval_id,
            verb=verb,
            digest=approval.proposal.digest,
            by="operator",
            reason=reason,
        )
        await self.desk.record_decision(DecisionNote(approval_id=approval.approval_id, decision=decision, now=at))

    async def night(self, at: datetime = NOW + timedelta(days=1)) -> LearningReport:
        request = LearnInput(day=at.date().isoformat(), run_id=f"learn/{at.date()}", now=at)
        for step in (self.steps.find_failures, self.steps.propose_changes, self.steps.report_learning):
            await step(request)
        (report,) = [r for r in await self.kept.state.find(LearningReport) if r.day == request.day]
        return report

    async def proposals(self) -> tuple[Any, ...]:
        record = await self.kept.state.get(PolicyRecord, "autonomy")
        return record.proposed if record else ()


def _approval(number: int, at: datetime, asked: tuple[str, ...] = ("the mode is ask",)) -> Approval:
    action = SendReply(
        ticket_id=f"t-{number}",
        message_id=f"m-{number}",
        to="ada@example.org",
        sender="shop@example.org",
        subject="Re: where is it",
        body="It is on its way.",
    )
    proposal = Proposal(
        run_id=f"support/t-{number}",
        workflow="support",
        step="reply",
        action=action,
        diff=Diff(record=action.stream, record_version="1", before={}, after={}),
        verdict=Verdict(),
        gate=GateDecision(outcome=GateOutcome.ASK, reasons=asked),
        why=Why(reason="late: shipped", confidence=0.9, topic="late", facts={"ticket": f"t-{number}"}),
        policy_versions={},
        proposed_at=at,
    )
    times = {"requested_at": at, "remind_at": at, "escalate_at": at, "expires_at": at + timedelta(days=3)}
    return Approval(approval_id=f"a-{number}", proposal=proposal, deciders=("operator",), **times)


def _received(number: int) -> MessageReceived:
    message = Message(
        message_id=f"in-{number}@example.org",
        direction=Direction.INBOUND,
        sender="ada@example.org",
        at=NOW,
        body=f"The mug arrived in {number + 2} pieces.",
    )
    return MessageReceived(ticket_id=f"t-{number}", source="mail", subject="My mug", message=message)


async def test_a_class_that_was_always_right_is_proposed_once_and_granted_by_the_operator_only() -> None:
    """Twenty approvals as shown: one proposal, not two on two nights; it is in force when the operator ratifies it."""
    shop = Shop()
    for number in range(20):
        await shop.answered(number)
    await shop.night()
    await shop.night(NOW + timedelta(days=2))
    (version,) = await shop.proposals()
    record = await shop.kept.state.get(PolicyRecord, "autonomy")
    assert record is not None
    assert (version.proposed_by, KEY in version.document["grants"], record.active) == ("learner", True, 0)
    await shop.trial.tell(*approved(record, version.version, by="operator", now=NOW))
    planned = Planned(step="reply", action=_approval(1, NOW).proposal.action, why=_approval(1, NOW).proposal.why)
    licences = [await shop.licensing.licence(planned, workflow="support", run_id=f"support/{n}") for n in range(200)]
    assert 5 < sum(licence == "sampled" for licence in licences) < 40
    assert "none" not in licences
    unwritten = planned.model_copy(update={"action": planned.action.model_copy(update={"body": ""})})
    assert await shop.licensing.licence(unwritten, workflow="support", run_id="support/1") == "none"


async def test_only_what_a_class_would_do_alone_counts_for_it() -> None:
    """Not what is asked whatever it has earned; a severe miss counts all the same."""
    shop = Shop()
    for number, verb in enumerate((Verb.APPROVE, Verb.APPROVE, Verb.REJECT)):
        await shop.answered(number, verb, asked=("the mode is ask", "confidence 0.62 is under 0.75"))
    await shop.answered(8)
    await shop.answered(9, Verb.REJECT, reason="severe: to the wrong one", asked=("confidence 0.62 is under 0.75",))
    (counted,) = await shop.kept.state.find(ClassRecord)
    assert (counted.approved, counted.corrected, counted.severe) == (1, 1, 1)


async def test_what_waits_for_an_answer_is_not_listed_as_refused() -> None:
    """On the second night the same grant is called for again, and waits already."""
    shop = Shop()
    for number in range(20):
        await shop.answered(number)
    reports = [await shop.night(NOW + timedelta(days=days)) for days in (1, 2)]
    assert [(len(r.proposed), r.refused) for r in reports] == [(1, ()), (1, ())]


async def test_a_severe_rejection_takes_the_grant_back_at_once() -> None:
    """Not in the night: with the decision itself, however many approvals came before."""
    shop = Shop()
    for number in range(20):
        await shop.answered(number)
    await shop.night()
    record = await shop.kept.state.get(PolicyRecord, "autonomy")
    assert record is not None
    await shop.trial.tell(*approved(record, 1, by="operator", now=NOW))
    await shop.answered(99, Verb.REJECT, reason="severe: this promises money")
    policy = (await shop.kept.policies.in_force(AutonomyPolicy)).document
    (counted,) = await shop.kept.state.find(ClassRecord)
    assert (policy.grants, counted.severe) == ({}, 1)


async def test_a_corrected_intent_is_a_failure_of_the_model_and_a_label() -> None:
    """Found once however often it is looked for; the label is there for the next refit."""
    shop = Shop()
    await shop.trial.tell(*[_received(n) for n in range(3)])
    for number in range(3):
        await shop.answered(number, Verb.REJECT, reason="intent: damaged")
    report = await shop.night()
    await shop.night(NOW + timedelta(days=2))
    failures = await shop.kept.state.find(Failure)
    labels = await shop.kept.state.find(Label)
    assert ({f.cause for f in failures}, len(failures), {x.intent for x in labels}) == ({"model"}, 3, {"damaged"})
    assert report.queue[0].cases == 3
    assert "it was misunderstood" in report.text


async def test_with_learning_switched_off_nothing_is_proposed() -> None:
    """It still measures and says what went wrong."""
    shop = Shop()
    await shop.trial.tell(FlagSet(flag=Flag(key=LEARNING, on=False), by="operator", at=NOW))
    for number in range(20):
        await shop.answered(number)
    report = await shop.night()
    assert (await shop.proposals(), report.day) == ((), "2026-03-03")


async def test_nothing_to_learn_from_is_said() -> None:
    """An empty memory gives a page, not an error."""
    assert "nothing to learn from" in (await Shop().night()).text


async def test_a_question_is_asked_once() -> None:
    """A product that sells under its cost: one question, on the first night only, even after it was closed."""
    shop = Shop()
    below = Product(sku="MUG", title="Mug", supplier_id="clay", price=Money.of(5), unit_cost=Money.of(9))
    await shop.trial.tell(ProductListed(product=below))
    for days in (1, 2):
        await shop.night(NOW + timedelta(days=days))
    alerts = [a for a in await shop.kept.state.find(Alert) if a.key.startswith("question/")]
    assert [a.times for a in alerts] == [1]


async def test_an_empty_shelf_is_a_result_of_the_runs_of_a_week_ago() -> None:
    """What they ordered should be there by now. Of two products one is out: half of the demand meets stock, counted once."""
    shop = Shop()
    for sku, on_hand in (("MUG", 0), ("CUP", 9)):
        product = Product(sku=sku, title=sku, supplier_id="clay", price=Money.of(9), unit_cost=Money.of(5))
        sold = SalesImported(sku=sku, days=(SalesDay(day=NOW.date(), units=28, orders=1),))
        await shop.trial.tell(ProductListed(product=product), StockCounted(sku=sku, on_hand=on_hand), sold)
    await shop.trial.tell(RunStarted(run_id="replenish/2026-03-02", workflow="replenish", at=NOW))
    assert await shop.shelf.measure(now=NOW + timedelta(hours=14)) == 0
    for _ in range(2):
        assert await shop.shelf.measure(now=NOW + timedelta(days=7, hours=14)) == 1
    run = await shop.kept.state.get(Run, "replenish/2026-03-02")
    assert run is not None
    assert [(o.metric, o.value) for o in run.outcomes] == [("fill-rate", 0.5), ("stock-out-days", 3.5)]


async def test_an_escalation_is_settled_with_its_question() -> None:
    """Nobody has to close the alert by hand."""
    shop = Shop()
    escalated = Alert(key="approval/a-1", level=AlertLevel.URGENT, text="waiting since yesterday", at=NOW)
    await shop.trial.tell(AlertRaised(alert=escalated))
    await shop.answered(1)
    alert = await shop.kept.state.get(Alert, "approval/a-1")
    assert alert is not None
    assert not alert.open


async def test_sources_that_disagree_are_asked_about_once() -> None:
    """In the report of the night, and not again the night after."""
    shop = Shop()
    for source, price in (("import", 12), ("connection/shop", 14)):
        listed = ProductListed(product=MUG.model_copy(update={"price": Money.of(price)}))
        await shop.kept.log.append([new_event(listed, at=NOW, key=(source,), source=source)])
    reports = [await shop.night(NOW + timedelta(days=days)) for days in (1, 2)]
    raised = [a.text for a in await shop.kept.state.find(Alert) if a.key.startswith("question/")]
    assert len(raised) == 1
    assert "the connection shop says '14.00 EUR', a file you imported '12.00 EUR'" in raised[0]
    assert [r.questions for r in reports] == [tuple(raised), tuple(raised)]


@pytest.mark.parametrize(("verb", "reward"), [(Verb.REJECT, 0.0), (Verb.APPROVE, 1.0)])
async def test_a_trial_sees_a_correction_when_it_is_made(verb: Verb, reward: float) -> None:
    """The run goes on for a week, longer than a missing correction takes to count as none; its end tells nothing twice."""
    shop = Shop()
    await shop.trial.start()
    await shop.trial.expose("support/t-1", Arm.CANDIDATE)
    await shop.answered(1, verb, reason="too cold")
    await shop.trial.judge(NOW + timedelta(days=4))
    await shop.runs.finish_run(FinishInput(run_id="support/t-1", status="done", result="", now=NOW + timedelta(days=7)))
    exposure = await shop.kept.state.get(Exposure, "support@2/support/t-1")
    run = await shop.kept.state.get(Run, "support/t-1")
    assert exposure is not None
    assert run is not None
    assert exposure.rewards["corrected"] == reward
    assert [o.value for o in run.outcomes if o.metric == "corrected"] == [1.0 - reward]
