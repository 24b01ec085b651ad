"""What no candidate gets past: too wide, secret, copied, conflicting, or refused before."""

from datetime import datetime
from typing import Any

import pytest

from domain.autonomy import ClassRecord
from domain.entities import Direction
from domain.failures import RootCause
from domain.knowledge import InForce
from domain.learning import Candidate
from domain.policies import AutonomyPolicy, PolicyRecord, PolicyVersion, RoutingPolicy, SupportPolicy, Trial
from learning.candidates.autonomy import autonomy_candidates
from learning.candidates.drafting import drafted
from learning.static_checks import customers_words, refusals
from tests.unit.learning.happened import DAY, NOW, failure, ticket

RECORD = PolicyRecord(name="support")
SAID = "my little dog has eaten the whole parcel before I could even open it"


def candidate(text: str = "We are on it.", *, examples: tuple[str, ...] = ("support/t-1",), **more: Any) -> Candidate:
    policy = SupportPolicy()
    complaint = policy.playbooks["complaint"].model_copy(update={"template": text})
    changed = policy.model_copy(update={"playbooks": {**policy.playbooks, "complaint": complaint}, **more})
    incumbent = InForce("support", 0, policy)
    return drafted(incumbent, changed, why="w", cause=RootCause.POLICY_WRONG, metrics=("corrected",), examples=examples)


def version(of: Candidate, *, at: datetime = NOW - 20 * DAY) -> PolicyVersion:
    return PolicyVersion(version=1, document=of.document, proposed_by="learner", at=at)


def test_a_narrow_harmless_change_passes() -> None:
    """One text."""
    assert refusals(candidate(), RECORD, texts=(SAID,), now=NOW) == ()


def test_a_document_that_does_not_validate_is_refused() -> None:
    """With the reason."""
    broken = candidate().model_copy(update={"document": {"refund_window_days": -1}})
    assert "not valid" in refusals(broken, RECORD, now=NOW)[0]


def test_a_wide_change_is_refused() -> None:
    """Nobody could tell which part of it helped; and one that changes nothing is none."""
    wide = candidate(refund_window_days=60, late_after_days=3, close_after_days=2.0, follow_up_after_days=1.0)
    assert "changes 5 places" in refusals(wide, RECORD, now=NOW)[0]
    assert refusals(candidate(""), RECORD, now=NOW) == ("it changes nothing",)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Write to ada@mail.example.", "a mail address"),
        ("Call us on +49 30 1234567.", "a phone number"),
        ("As with order 10012.", "an order number"),
        ("Pay to DE89 3704 0044 0532 0130 00.", "a bank account"),
        ("password: hunter2", "a secret"),
    ],
)
def test_personal_data_and_secrets_do_not_get_into_a_policy(text: str, what: str) -> None:
    """They come from a case, not from the shop."""
    assert any(reason.endswith(f"holds {what}") for reason in refusals(candidate(text), RECORD, now=NOW))


def test_what_a_customer_wrote_is_not_copied() -> None:
    """Eight words in a row are no accident; seven are."""
    copied, alike = f"Sorry that {SAID}!", "Sorry that your little dog has eaten the whole parcel."
    assert any("copies what a customer wrote" in reason for reason in refusals(candidate(copied), RECORD, texts=(SAID,), now=NOW))
    assert refusals(candidate(alike), RECORD, texts=(SAID,), now=NOW) == ()


def test_a_text_that_grows_without_end_is_refused() -> None:
    """A policy is no place for everything that ever happened."""
    assert any("characters long" in reason for reason in refusals(candidate("word " * 400), RECORD, now=NOW))


def test_a_pinned_policy_and_a_running_trial_are_left_alone() -> None:
    """And a change of a version that is not in force any more."""
    trial = Trial(experiment_id="support@3")
    old = RECORD.model_copy(update={"active": 1, "versions": (version(candidate("Another.")),)})
    assert refusals(candidate(), RECORD.model_copy(update={"pinned": True}), now=NOW) == ("support is pinned",)
    assert refusals(candidate(), RECORD.model_copy(update={"trials": (trial,)}), now=NOW) == (
        "support@3 is being tried on support",
    )
    assert "version 1 is in force" in refusals(candidate(), old, now=NOW)[0]


def test_a_place_that_a_waiting_proposal_changes_is_left_alone() -> None:
    """Whatever the new value; another place may be proposed meanwhile."""
    waiting = RECORD.model_copy(update={"versions": (version(candidate("Another.")),)})
    assert refusals(candidate(), waiting, now=NOW) == ("version 1, which changes the same, waits for an answer",)
    assert refusals(candidate("", refund_window_days=60), waiting, now=NOW) == ()


def test_a_grant_that_waits_is_not_proposed_again_each_night() -> None:
    """Although the day and the counts in it differ."""
    policy = InForce("autonomy", 0, AutonomyPolicy())
    (first,) = autonomy_candidates([ClassRecord(key="support/send-reply/late/no-money", approved=30)], policy, now=NOW)
    (later,) = autonomy_candidates([ClassRecord(key="support/send-reply/late/no-money", approved=31)], policy, now=NOW + DAY)
    (other,) = autonomy_candidates([ClassRecord(key="support/send-reply/return/no-money", approved=31)], policy, now=NOW + DAY)
    waiting = PolicyRecord(name="autonomy", versions=(version(first),))
    dropped = waiting.model_copy(update={"dropped": {1: "not this one"}})
    assert len(refusals(later, waiting, now=NOW + DAY)) == 1
    assert "was dropped (not this one)" in refusals(later, dropped, now=NOW + DAY)[0]
    assert refusals(other, waiting, now=NOW + DAY) == ()


def test_a_change_that_was_dropped_comes_back_only_on_new_cases() -> None:
    """Three that are younger than the end of its trial."""
    ended = Trial(experiment_id="support@1", running=False, ended_at=NOW - 5 * DAY)
    dropped = RECORD.model_copy(update={"versions": (version(candidate()),), "dropped": {1: "harm"}, "trials": (ended,)})
    again = candidate(examples=tuple(f"support/t-{n}" for n in range(3)))
    old = [failure(n, at=NOW - 6 * DAY) for n in range(3)]
    new = [failure(n, at=NOW - 2 * DAY) for n in range(3)]
    assert "was dropped (harm); 0 cases are new since" in refusals(again, dropped, failures=old, now=NOW)[0]
    assert "2 cases are new" in refusals(again, dropped, failures=new[:2], now=NOW)[0]
    assert refusals(again, dropped, failures=new, now=NOW) == ()


def test_a_dropped_change_that_names_no_cases_is_forgotten_in_time() -> None:
    """A back-test has no cases; after two months its past is another one."""
    policy = InForce("routing", 0, RoutingPolicy())
    same = drafted(policy, RoutingPolicy(local_confidence=0.5), why="w", cause=RootCause.POLICY_WRONG, metrics=("unaided",))
    record = PolicyRecord(name="routing", versions=(version(same, at=NOW),), dropped={1: "no gain"})
    assert len(refusals(same, record, now=NOW + 30 * DAY)) == 1
    assert refusals(same, record, now=NOW + 90 * DAY) == ()


def test_only_what_customers_wrote_themselves_counts_as_theirs() -> None:
    """Neither our own letters nor what is quoted of them."""
    ours = ticket().messages[0].model_copy(update={"direction": Direction.OUTBOUND, "body": "Thank you."})
    quoting = ticket(text="it is still not here\n\nOn 3 March 2026 Robin wrote:\n> Thank you.")
    both = quoting.model_copy(update={"messages": (*quoting.messages, ours)})
    assert list(customers_words([both])) == ["it is still not here"]
