from datetime import UTC, datetime, timedelta

from demo.operator import SUSPECTED, SimulatedOperator
from domain.actions import Action, RefundOrder, SendReply
from domain.approvals import Approval, Verb
from domain.decisions import Diff, Finding, GateDecision, GateOutcome, Proposal, Severity, Verdict, Why
from domain.judging import judge
from domain.money import Money

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def approval(name: str, action: Action, *findings: Finding) -> Approval:
    proposal = Proposal(
        run_id=f"support/{name}",
        workflow="support",
        step=name,
        action=action,
        diff=Diff(record=name, record_version="1", before={}, after={}),
        verdict=Verdict(findings=findings),
        gate=GateDecision(outcome=GateOutcome.ASK, reasons=("test",)),
        why=Why(reason="test"),
        policy_versions={},
        proposed_at=NOW,
    )
    moments = {f"{m}_at": NOW + timedelta(hours=n) for n, m in enumerate(("requested", "remind", "escalate", "expires"))}
    return Approval(approval_id=name, proposal=proposal, deciders=("operator",), **moments)


def refund(amount: int) -> RefundOrder:
    return RefundOrder(order_id=f"order-{amount}", amount=Money.of(amount), reason="damaged")


def reply(to: str, body: str = "") -> SendReply:
    return SendReply(ticket_id=to, message_id=f"<{to}>", to=to, sender="shop@x.example", subject="Re: hello", body=body)


def operator() -> SimulatedOperator:
    return SimulatedOperator(name="operator", answers={"karin@x.example": "Guten Tag"})


def test_the_largest_sum_of_a_workflow_stays_open() -> None:
    """The newcomer finds the approval that matters most, and later ones are decided."""
    simulated = operator()
    decisions = simulated.decide([approval("small", refund(20)), approval("large", refund(64))])
    assert [(d.approval_id, d.verb) for d in decisions] == [("small", Verb.APPROVE)]
    assert simulated.kept == {"support": "large"}
    later = simulated.decide([approval("large", refund(64)), approval("larger", refund(90))])
    assert [d.approval_id for d in later] == ["larger"]


def test_a_reply_without_words_gets_the_operators_own() -> None:
    """An edit: it is previewed and audited again before it is sent."""
    (decision,) = operator().decide([approval("german", reply("karin@x.example"))])
    assert decision.verb is Verb.EDIT
    assert isinstance(decision.action, SendReply)
    assert decision.action.body == "Guten Tag"


def test_a_suspected_injection_is_rejected_with_a_reason() -> None:
    """It is never kept open for the newcomer either."""
    finding = Finding(code=SUSPECTED, severity=Severity.HOLD, text="it gives orders")
    (decision,) = operator().decide([approval("hostile", refund(5000), finding)])
    assert decision.verb is Verb.REJECT
    assert decision.reason


def test_every_decision_counts() -> None:
    """Each passes the rule that all doors share."""
    pending = [approval("a", refund(20)), approval("b", refund(30)), approval("c", reply("karin@x.example"))]
    pending += [approval("d", reply("stranger@x.example")), approval("e", reply("friend@x.example", "Hello"))]
    by_id = {a.approval_id: a for a in pending}
    decisions = operator().decide(pending)
    assert len(decisions) == len(pending) - 1
    for decision in decisions:
        judge(by_id[decision.approval_id], decision, NOW)
