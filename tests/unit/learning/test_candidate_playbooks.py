"""What the operator keeps writing becomes the template: the wording, never a customer's own data."""

from domain.actions import Risk
from domain.approvals import Approval, ApprovalStatus
from domain.knowledge import InForce
from domain.playbooks import DEFAULT_PLAYBOOKS
from domain.policies import SupportPolicy
from learning.candidates.playbooks import playbook_candidates
from learning.documents import changed
from learning.replay import templates
from tests.unit.learning.happened import approval, reply

INCUMBENT = InForce("support", 2, SupportPolicy())
SHIPPED = DEFAULT_PLAYBOOKS["late"].situations["shipped"]
TRACKING = "You can follow it with the tracking number {tracking}."
BETTER = "Follow it on the site of {carrier} with {tracking}."


def shipped(number: int) -> tuple[str, dict[str, str]]:
    """The letter as it is written from the template, and its facts."""
    values = {"order_id": f"10{number:02}", "shipped_on": f"{number + 1} March 2026", "carrier": "DHL", "tracking": f"TRK9{number}"}
    return SHIPPED.format(**values), {f"order/{values['order_id']}#{name}": value for name, value in values.items()}


def edit(number: int, old: str = TRACKING, new: str = BETTER, *, opening: str = "Thank") -> Approval:
    text, facts = shipped(number)
    values = {ref.partition("#")[2]: value for ref, value in facts.items()}
    after = text.replace(old.format(**values), new.format(**values)).replace("Thank", opening)
    assert after != text
    before, edited = (reply(t, number=number, facts=facts) for t in (text, after))
    return approval(before, ApprovalStatus.EDITED, number=number, edited=edited, said="better so")


def as_shown(number: int) -> Approval:
    text, facts = shipped(number)
    return approval(reply(text, number=number, facts=facts), number=number)


def test_three_edits_of_the_same_kind_become_the_template() -> None:
    """Their facts go back into the fields, so that no order's number or tracking is in it."""
    (candidate,) = playbook_candidates([edit(n) for n in range(3)], INCUMBENT)
    new = candidate.document["playbooks"]["late"]["situations"]["shipped"]
    assert new == SHIPPED.replace(TRACKING, BETTER)
    assert (candidate.policy, candidate.parent, candidate.scope, candidate.risk) == ("support", 2, ("late",), Risk.R1)
    assert candidate.examples == ("support/t-2", "support/t-1", "support/t-0")


def test_the_change_is_one_text_of_one_situation() -> None:
    """Nothing else of the policy moves."""
    (candidate,) = playbook_candidates([edit(n) for n in range(3)], INCUMBENT)
    assert list(changed(INCUMBENT.document.model_dump(mode="json"), candidate.document)) == ["playbooks.late.situations.shipped"]


def test_two_edits_are_an_accident() -> None:
    """And so are three of the same ticket, or three different ones."""
    assert playbook_candidates([edit(1), edit(2)], INCUMBENT) == ()
    assert playbook_candidates([edit(1), edit(1), edit(1)], INCUMBENT) == ()
    assert playbook_candidates([edit(n, new=f"Number {n}.") for n in range(3)], INCUMBENT) == ()


def test_edits_that_are_rare_among_answers_let_go_as_shown_are_no_rule() -> None:
    """Three in forty."""
    assert playbook_candidates([*(edit(n) for n in range(3)), *(as_shown(n) for n in range(3, 40))], INCUMBENT) == ()


def test_what_only_one_of_them_added_is_left_out() -> None:
    """The common change is taken, the personal one is not."""
    personal = edit(0, opening="Dear Ada, thank")
    (candidate,) = playbook_candidates([personal, edit(1), edit(2)], INCUMBENT)
    assert candidate.document["playbooks"]["late"]["situations"]["shipped"] == SHIPPED.replace(TRACKING, BETTER)


def test_a_new_promise_of_money_is_of_higher_risk() -> None:
    """It is text, but it binds the shop."""
    (candidate,) = playbook_candidates([edit(n, new="You get a voucher for the wait.") for n in range(3)], INCUMBENT)
    assert candidate.risk is Risk.R2


def test_a_models_letter_says_nothing_about_the_template() -> None:
    """It was not made from it."""
    polished = [
        approval(reply("It is on its way!", number=n), ApprovalStatus.EDITED, number=n, edited=reply("It comes.", number=n))
        for n in range(5)
    ]
    assert playbook_candidates(polished, INCUMBENT) == ()


def test_in_shadow_the_new_template_is_nearer_to_what_was_sent() -> None:
    """A win for each edit; answers that were let go as shown are losses."""
    edits = [edit(n) for n in range(5)]
    (candidate,) = playbook_candidates(edits, INCUMBENT)
    after = SupportPolicy.model_validate(candidate.document)
    replayed = templates([*edits, as_shown(9)], incumbent=INCUMBENT.document, candidate=after, golden={"support/t-9"})
    assert (replayed.wins, replayed.losses, replayed.golden_regressions) == (5, 1, 1)
