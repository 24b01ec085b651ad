"""Whose reviews speak for a class, and how often what was granted is still asked."""

from random import Random

import pytest

from domain.actions import Action, PlacePurchaseOrder
from domain.autonomy import ClassKey, ClassRecord, Grant, class_of
from domain.knowledge import InForce
from domain.policies import AutonomyPolicy
from learning.autonomy import Reviews, has_earned, own, sample_share, speaking, without_what_is_lost
from learning.candidates.autonomy import autonomy_candidates
from tests.unit.learning.happened import NOW, purchase, reply

POLICY = AutonomyPolicy()
ORDERS = "replenish/place-purchase-order"


def order(supplier: str, band: str, approved: int = 0, corrected: int = 0, **more: int) -> ClassRecord:
    return ClassRecord(key=f"{ORDERS}/{supplier}/{band}", approved=approved, corrected=corrected, **more)


def granted(*keys: str, sample: float = 0.1) -> AutonomyPolicy:
    return AutonomyPolicy(grants={key: Grant(key=key, limit=0.1, sample=sample, earned_at=NOW) for key in keys})


@pytest.mark.parametrize(("action", "topic"), [(reply("We ship today."), "late"), (purchase("s-1", "480"), "clay/and/more")])
def test_a_key_is_read_as_it_was_written(action: Action, topic: str) -> None:
    """Topics may have slashes; a text that is no key is a topic of nothing."""
    key = ClassKey.read(class_of("w", action, topic))
    band = "up-to-500" if isinstance(action, PlacePurchaseOrder) else "no-money"
    assert key == ("w", action.kind, topic, band)
    assert ClassKey.read("something") == ("", "", "something", "")


def test_larger_amounts_speak_for_smaller_ones_and_not_the_other_way_round() -> None:
    """Who lets 400 go lets 40 go; agreeing to 40 says nothing about 400."""
    records = (order("clay", "up-to-50", 2), order("clay", "up-to-500", 11, 1), order("clay", "over-1000", 4))
    assert own(records[0], records) == Reviews(17, 1)
    assert own(records[2], records) == Reviews(4, 0)


def test_actions_without_money_are_not_sizes_of_each_other() -> None:
    """Only the class's own reviews count."""
    records = [ClassRecord(key=f"support/send-reply/{topic}/no-money", approved=9) for topic in ("late", "return")]
    assert speaking(POLICY, records[0], records) == Reviews(9, 0)


def test_other_suppliers_lend_half_of_their_word_and_at_most_half_of_what_the_class_has_itself() -> None:
    """Nine orders of its own and half as much lent are enough where thirteen of its own would be; eight are not."""
    others = (order("wool", "up-to-500", 20), order("wood", "up-to-1000", 20))
    for count, earned in ((8, False), (9, True)):
        mine = order("clay", "up-to-500", count)
        assert speaking(POLICY, mine, (mine, *others)).approved == 1.5 * count
        assert has_earned(POLICY, mine, (mine, *others)) is earned
    few = (order("wool", "up-to-500", 4),)
    assert speaking(POLICY, order("clay", "up-to-500", 7), few) == Reviews(9, 0)


def test_smaller_orders_of_others_and_those_with_a_severe_miss_lend_nothing() -> None:
    """Nor does any other kind of action."""
    mine = order("clay", "up-to-500", 7)
    smaller, severe = order("wool", "up-to-250", 90), order("wood", "up-to-500", 90, severe=1, since_severe=3)
    refunds = ClassRecord(key="support/refund-order/damaged/up-to-500", approved=90)
    assert speaking(POLICY, mine, (mine, smaller, severe, refunds)) == Reviews(7, 0)


def test_corrections_of_others_count_as_their_approvals_do() -> None:
    """A kind that is corrected elsewhere is not lent by its good half."""
    mine, other = order("clay", "up-to-500", 12), order("wool", "up-to-500", 9, 3)
    assert speaking(POLICY, mine, (mine, other)) == Reviews(16.5, 1.5)
    assert not has_earned(POLICY, mine, (mine, other))


def test_a_lent_grant_is_rarely_given_to_a_class_that_does_not_deserve_it() -> None:
    """Three in ten corrected, all others perfect: granted within sixty reviews in one in fourteen cases at most."""
    others, draw, given = (order("wool", "up-to-500", 60),), Random(5), 0
    for _ in range(400):
        approved, corrected, earned = 0, 0, False
        for _ in range(60):
            wrong = draw.random() < 0.3
            approved, corrected = approved + (not wrong), corrected + wrong
            earned = earned or has_earned(POLICY, order("clay", "up-to-500", approved, corrected), others)
        given += earned
    assert given / 400 < 1 / 14


def test_the_proposal_says_whose_word_it_is() -> None:
    """The class's own reviews by number, and that others lend theirs."""
    records = (order("clay", "up-to-500", 8), order("clay", "up-to-1000", 1), order("wool", "up-to-1000", 20))
    found = {c.scope[0]: c.why for c in autonomy_candidates(records, InForce("autonomy", 1, POLICY), now=NOW)}
    assert "of 9 you looked at, larger amounts among them you changed 0" in found["clay"]
    assert "with what you said of others of the kind" in found["clay"]


def test_a_correction_of_one_supplier_takes_the_grant_of_another_that_lived_on_its_word() -> None:
    """What is granted on lent evidence goes with it; what stands by itself stays."""
    lender, lived, stands = order("wool", "up-to-500", 20, 4), order("clay", "up-to-500", 9), order("wood", "up-to-500", 60)
    policy = granted(lived.key, stands.key)
    left = without_what_is_lost(policy, lender, (lender, lived, stands))
    assert left is not None
    assert set(left.grants) == {stands.key}


def test_the_sample_shrinks_as_the_record_grows_and_never_ends() -> None:
    """A tenth where it was just earned, the least share in the end; a correction brings it up again."""
    key = "support/send-reply/late/no-money"
    grant = Grant(key=key, limit=0.15, sample=0.1, earned_at=NOW)

    def share(approved: int, corrected: int = 0) -> float:
        return sample_share(POLICY, grant, ClassRecord(key=key, approved=approved, corrected=corrected))

    assert 0.08 < share(9) < 0.1
    assert share(9) > share(20) > share(25) > share(400) == POLICY.least_sample
    assert share(40, 1) > share(41)


def test_what_was_granted_on_the_word_of_others_is_looked_at_more_often() -> None:
    """Its own record leaves more open, and the sample follows that alone."""
    mine, other = order("clay", "up-to-500", 9), order("wool", "up-to-500", 90)
    grant = granted(mine.key).grants[mine.key]
    assert sample_share(POLICY, grant, mine, (mine, other)) > grant.sample
    assert sample_share(POLICY, grant.model_copy(update={"sample": 0.0}), mine, (mine, other)) == 0.0
