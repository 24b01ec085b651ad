"""Why cases went wrong: one test a rule, on the words that the planners and the gate really use."""

from datetime import timedelta
from typing import Any

import pytest

from domain.actions import PlacePurchaseOrder, RefundOrder
from domain.approvals import Approval, ApprovalStatus
from domain.failures import Failure, RootCause
from domain.labels import Label, LabelSource
from domain.money import Money
from domain.playbooks import DEFAULT_PLAYBOOKS
from learning.failures import find
from learning.observed import Observed
from tests.unit.learning.happened import (
    DAY,
    MUG,
    NOW,
    SUPPLIER,
    VASE,
    approval,
    delivery,
    handed_over,
    reply,
    run,
    ticket,
)

SHIPPED = DEFAULT_PLAYBOOKS["late"].situations["shipped"]
FACTS = {
    "order/1001#order_id": "1001",
    "order/1001#shipped_on": "12 March 2026",
    "order/1001#carrier": "DHL",
    "order/1001#tracking": "TRK900",
}
LETTER = SHIPPED.format(order_id="1001", shipped_on="12 March 2026", carrier="DHL", tracking="TRK900")


def only(**seen: Any) -> Failure:
    found = find(Observed(since=NOW - 3 * DAY, products=(MUG, VASE), suppliers=(SUPPLIER,), **seen))
    assert len(found) == 1
    return found[0]


def said(*asked: Approval, **seen: Any) -> tuple[str, str, str]:
    found = only(approvals=asked, **seen)
    return found.cause.value, found.mode, found.ref


SUPPORT = "policy/support#"
HANDED_OVER = [
    ("nothing is known for 'tracking'", "data-missing", "missing fact: tracking", "order#tracking"),
    ("it is not clear which product is meant", "data-missing", "unknown product", "catalogue#products"),
    ("there is no playbook for gift-wrap", "policy-gap", "no playbook: gift-wrap", f"{SUPPORT}playbooks.gift-wrap"),
    (
        "complaint is always answered by a person",
        "policy-gap",
        "always by a person: complaint",
        f"{SUPPORT}playbooks.complaint",
    ),
    ("the customer writes in another language (de)", "policy-gap", "another language: de", f"{SUPPORT}languages"),
    (
        "reported damaged more than 30 days after delivery",
        "policy-gap",
        "damaged after the window",
        f"{SUPPORT}refund_window_days",
    ),
    ("the playbook does not allow a refund", "policy-gap", "not allowed: a refund", f"{SUPPORT}playbooks.any.actions"),
    ("the intent is not clear (late, 52%)", "model", "unclear intent: late", "policy/triage"),
    ("'mailer-daemon' cannot be answered by mail", "external", "a sender that cannot be answered", ""),
    (
        "the item is priced in USD",
        "data-wrong",
        "two currencies in one order",
        "order#currency",
    ),
]


@pytest.mark.parametrize(("because", "cause", "mode", "ref"), HANDED_OVER)
def test_a_hand_over_says_why_in_words_that_are_understood(because: str, cause: str, mode: str, ref: str) -> None:
    """The reason that the planner gave the operator decides, whatever the operator then wrote."""
    assert said(handed_over(because)) == (cause, mode, ref)


def test_a_missing_fact_is_named_by_the_product_it_belongs_to() -> None:
    """Where the decision knew the product."""
    asked = handed_over("nothing is known for 'care'", facts={"product/MUG-1#title": "Stoneware mug"})
    assert said(asked) == ("data-missing", "missing fact: care", "product/MUG-1#care")


def test_a_question_that_the_catalogue_cannot_answer_names_the_missing_attribute() -> None:
    """One that other products have, and that the customer asks for."""
    asked = approval(
        reply("Here is what I can tell you: material: clay."),
        force_ask="the catalogue may not answer the question",
        reason="product-question: answer",
        facts={"product/MUG-1#material": "clay"},
    )
    wrote = ticket(text="can I wash the stoneware mug in a dishwasher?", intent="product-question")
    assert said(asked, tickets=(wrote,)) == ("data-missing", "missing fact: care", "product/MUG-1#care")


def test_a_reason_that_names_another_intent_is_a_wrong_intent() -> None:
    """Under the intent that it was taken for, which is where later cases go wrong too."""
    rejected = approval(reply("We ship today."), ApprovalStatus.REJECTED, said="no, intent: damaged")
    found = only(approvals=(rejected,))
    assert (found.cause, found.mode, found.topic) == (RootCause.MODEL, "wrong intent: late", "late")


def test_a_relabelled_ticket_is_a_wrong_intent_even_when_measured_later() -> None:
    """The customer wrote again, because the answer was to another question."""
    corrected = ticket(intent="damaged", corrected_by="operator")
    asked = approval(reply("We ship today."), at=NOW - 9 * DAY)
    found = only(runs=(run(outcomes={"reopened": 1.0}),), approvals=(asked,), tickets=(corrected,))
    assert (found.cause, found.mode, found.metric) == (RootCause.MODEL, "wrong intent: late", "reopened")


def test_an_intent_that_the_operator_invents_is_a_gap() -> None:
    """No playbook is made for it."""
    rejected = approval(reply("We ship today."), ApprovalStatus.REJECTED, said="intent: gift-wrap")
    assert said(rejected) == ("policy-gap", "no playbook: gift-wrap", "policy/support#playbooks.gift-wrap")


def test_being_unsure_of_what_was_right_is_a_threshold_too_high() -> None:
    """A label confirms the guess."""
    label = Label(ticket_id="t-1", text="", intent="late", source=LabelSource.AUDITED, by="operator", at=NOW)
    asked = handed_over("the intent is not clear (late, 52%)", topic="late")
    expected = ("policy-wrong", "unsure though right: late", "policy/routing#local_confidence")
    assert said(asked, labels=(label,)) == expected


def test_asking_only_for_want_of_confidence_is_a_threshold_too_high() -> None:
    """Where the operator changed nothing, and the mode alone would not have asked."""
    asked = approval(reply("We ship today."), gate=("confidence 0.70 is under 0.75",), confidence=0.7)
    assert said(asked) == ("policy-wrong", "asked though right: send-reply", "policy/gate#minimum_confidence.send-reply")
    in_ask_mode = approval(reply("We ship today."), gate=("the mode is ask", "confidence 0.70 is under 0.75"))
    assert find(Observed(since=None, approvals=(in_ask_mode,))) == ()


def test_a_value_that_the_operator_replaces_is_a_wrong_fact() -> None:
    """The words around it stayed as they were."""
    before, after = reply(LETTER, facts=FACTS), reply(LETTER.replace("DHL", "Hermes"), facts=FACTS)
    edited = approval(before, ApprovalStatus.EDITED, edited=after)
    assert said(edited) == ("data-wrong", "wrong fact: carrier", "order#carrier")


def test_an_edit_of_a_templates_words_is_the_playbooks_doing() -> None:
    """Named by intent and situation, so that equal edits meet."""
    edited = approval(reply(LETTER, facts=FACTS), ApprovalStatus.EDITED, edited=reply(f"{LETTER} Please be patient.", facts=FACTS))
    assert said(edited) == ("policy-wrong", "reply edited: late/shipped", "policy/support#playbooks.late.situations.shipped")


def test_an_edit_of_a_models_words_is_the_prompts_doing() -> None:
    """The letter was not made from the template."""
    edited = approval(reply("Your parcel is well on its way!"), ApprovalStatus.EDITED, edited=reply("It is on its way."))
    assert said(edited)[:2] == ("prompt", "wording of the model edited: late")


def test_a_fact_that_moved_before_the_reply_left_is_stale() -> None:
    """The auditor saw it."""
    found = (("fact-changed", "product/MUG-1#price is 20.00 EUR, the reply says 18.00 EUR"),)
    rejected = approval(reply("It costs 18.00 EUR."), ApprovalStatus.REJECTED, said="wrong price", findings=found)
    assert said(rejected) == ("data-stale", "stale fact: price", "product/MUG-1#price")


def test_a_rejected_trick_is_nobodys_fault_here() -> None:
    """There is nothing to mend."""
    found = (("injection-suspected", "the customer's text claims an approval"),)
    assert said(approval(reply("Sure."), ApprovalStatus.REJECTED, said="no", findings=found))[0] == "external"


def test_an_order_that_the_operator_makes_larger_was_too_small() -> None:
    """And one made smaller was too large."""
    small, large = delivery(1, days=7), delivery(1, days=7)
    large = large.model_copy(update={"lines": (large.lines[0].model_copy(update={"units": 48}),)})
    one, other = (PlacePurchaseOrder(purchase_order=o, to=SUPPLIER.email, sender="a") for o in (small, large))
    assert said(approval(one, ApprovalStatus.EDITED, edited=other))[1] == "ordered too little"
    assert said(approval(other, ApprovalStatus.EDITED, edited=one))[1] == "ordered too much"


def test_a_refund_that_a_person_let_go_and_was_wrong_is_the_persons_mistake() -> None:
    """It costs what was refunded, and it is severe."""
    refund = RefundOrder(order_id="1001", amount=Money.of(40), reason="damaged")
    found = only(approvals=(approval(refund, at=NOW - 9 * DAY),), runs=(run(outcomes={"refund-wrong": 1.0}),))
    assert (found.cause, found.cost, found.severe) == (RootCause.HUMAN, 40.0, True)


def test_a_refund_that_nobody_looked_at_and_was_wrong_is_the_playbooks() -> None:
    """Severe as well."""
    found = only(runs=(run(outcomes={"refund-wrong": 1.0}),), tickets=(ticket(intent="damaged"),))
    assert (found.cause, found.mode, found.severe) == (RootCause.POLICY_WRONG, "refunded wrongly: damaged", True)


def test_a_customer_who_was_asked_something_writes_again_for_that() -> None:
    """That is no failure of the answer; without a question it is one."""
    asked = approval(reply("Which item is it?"), reason="damaged: which-item", at=NOW - 9 * DAY)
    answered = approval(reply("We ship today."), reason="late: shipped", at=NOW - 9 * DAY)
    reopened = (run(outcomes={"reopened": 1.0}),)
    assert only(approvals=(asked,), runs=reopened).mode == "the customer left something out: which-item"
    assert only(approvals=(answered,), runs=reopened).mode == "the answer did not settle it: late/shipped"


def test_running_out_is_the_service_levels_fault_unless_the_lead_time_is_not_as_stated() -> None:
    """Three deliveries that took twice as long say that it is not."""
    empty = run(run_id="replenish/s-1", outcomes={"stock-out-days": 6.0})
    slow = tuple(delivery(n, days=14) for n in range(4))
    assert only(runs=(empty,)).ref == "policy/stock#service_level"
    assert only(runs=(empty,), purchase_orders=slow).ref == "supplier/s-1#lead_time_days"


def test_a_late_delivery_is_the_suppliers() -> None:
    """The order is found by how late it was."""
    late = run(run_id="replenish/2026-03-01", outcomes={"supplier-lateness": 9.0})
    assert only(runs=(late,), purchase_orders=(delivery(1, days=16),)).mode == "supplier late: s-1"


def test_an_outside_system_that_refuses_is_a_tools_failure() -> None:
    """Named by what it did not do."""
    found = only(runs=(run(failed=("refund 12.00 EUR on order 1001 (damaged): the shop is down",)),))
    assert (found.cause, found.mode) == (RootCause.TOOL, "outside system failed: refund")


def test_a_slow_answer_that_waited_for_a_decision_is_nobody_elses() -> None:
    """Half of the time is enough."""
    waited = approval(reply("We ship today."), at=NOW - DAY).model_copy(update={"requested_at": NOW - 2 * DAY})
    slow = (run(outcomes={"first-response-minutes": 1_400.0}),)
    assert only(runs=slow, approvals=(waited,)).cause is RootCause.HUMAN
    assert only(runs=slow).cause is RootCause.TOOL


def test_a_run_that_asked_only_needless_questions_says_so() -> None:
    """All of it was approved as shown."""
    found = only(runs=(run(outcomes={"unaided": 0.0}),), approvals=(approval(reply("We ship today.")),))
    assert (found.mode, found.ref) == ("asked though right: late", "policy/autonomy#grants")


def test_what_nobody_decided_is_said_to_be_so() -> None:
    """It expired."""
    expired = approval(reply("We ship today."), ApprovalStatus.EXPIRED)
    assert only(approvals=(expired,)).mode == "nobody decided in time"


def test_an_edit_is_counted_once_though_it_was_measured_too() -> None:
    """The decision explains the outcome of the same run."""
    edited = approval(reply(LETTER, facts=FACTS), ApprovalStatus.EDITED, edited=reply(f"{LETTER} Bye.", facts=FACTS))
    measured = run(outcomes={"corrected": 1.0, "unaided": 0.0})
    assert only(approvals=(edited,), runs=(measured,)).metric == "corrected"


def test_only_what_is_new_is_found_and_good_results_are_not() -> None:
    """Old decisions explain, but do not count again."""
    old = approval(reply("We ship today."), ApprovalStatus.REJECTED, said="no", at=NOW - 9 * DAY)
    fine = run(outcomes={"reopened": 0.0, "unaided": 1.0})
    assert find(Observed(since=NOW - timedelta(days=3), approvals=(old,), runs=(fine,))) == ()


@pytest.mark.parametrize(
    ("words", "cause", "mode"),
    [
        ("the price is out of date", "data-stale", "out of date: send-reply"),
        ("it speaks of another order", "model", "wrong order or product: late"),
        ("it asks for what the customer said; intent: late", "model", "asked what was said: late"),
        ("nothing is due on this order", "policy-wrong", "not due: late"),
    ],
)
def test_the_operators_own_words_are_read_where_they_say_enough(words: str, cause: str, mode: str) -> None:
    """Anything else waits for the classifier."""
    assert said(approval(reply("We ship today."), ApprovalStatus.REJECTED, said=words))[:2] == (cause, mode)


def test_an_order_rejected_as_too_much_was_too_large() -> None:
    """The same words say nothing about a reply."""
    order = PlacePurchaseOrder(purchase_order=delivery(1, days=7), to=SUPPLIER.email, sender="a")
    assert said(approval(order, ApprovalStatus.REJECTED, said="far too much"))[2] == "policy/stock#lot_factor"
    assert said(approval(reply("We ship."), ApprovalStatus.REJECTED, said="far too much"))[1] == "unexplained: rejected send-reply"
