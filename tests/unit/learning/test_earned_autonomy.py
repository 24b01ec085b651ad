"""Whose reviews speak for a class, and how often what was granted is still asked."""

import pytest

from domain.actions import Action, PlacePurchaseOrder
from domain.autonomy import ClassKey, ClassRecord, Grant, class_of
from domain.knowledge import InForce
from domain.money import Money
from domain.policies import AutonomyPolicy
from learning.autonomy import Reviews, has_earned, sample_share, speaking, without_what_is_lost
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
    assert speaking(records[0], records) == Reviews(17, 1)
    assert speaking(records[2], records) == Reviews(4, 0)


def test_a_class_whose_every_amount_is_asked_anyway_is_not_proposed() -> None:
    """A grant would change nothing; the class that the limit reaches into is proposed."""
    classes = [ClassRecord(key=f"support/refund-order/damaged/{band}", approved=20) for band in ("up-to-25", "up-to-50")]
    limits = {"refund-order": Money.of(25)}
    found = autonomy_candidates(classes, InForce("autonomy", 1, POLICY), limits=limits, now=NOW)
    assert [key for c in found for key in c.document["grants"]] == ["support/refund-order/damaged/up-to-25"]
    assert len(autonomy_candidates(classes, InForce("autonomy", 1, POLICY), limits={"refund-order": Money.of(40)}, now=NOW)) == 2


def test_actions_without_money_are_not_sizes_of_each_other() -> None:
    """Nor are other topics and other kinds: only the class's own reviews count."""
    records = [ClassRecord(key=f"support/send-reply/{topic}/no-money", approved=9) for topic in ("late", "return")]
    assert speaking(records[0], records) == Reviews(9, 0)
    assert speaking(order("clay", "up-to-50", 1), (order("wool", "up-to-500", 90),)) == Reviews(1, 0)


def test_a_severe_miss_with_a_larger_amount_keeps_the_smaller_from_being_granted() -> None:
    """Until as many reviews have come since as its own class would need."""
    smaller = order("clay", "up-to-50", 90)
    for since, earned in ((3, False), (39, True)):
        assert has_earned(POLICY, smaller, (smaller, order("clay", "up-to-500", 90, severe=1, since_severe=since))) is earned


def test_the_proposal_says_that_larger_amounts_are_among_what_was_seen() -> None:
    """So that the operator knows whose word it is."""
    records = (order("clay", "up-to-500", 11), order("clay", "up-to-1000", 2))
    (candidate,) = autonomy_candidates(records, InForce("autonomy", 1, POLICY), now=NOW)
    assert "of 13 you looked at, larger amounts among them, you changed 0" in candidate.why


def test_a_correction_of_a_larger_amount_takes_the_grant_that_lived_on_it() -> None:
    """What stands by itself stays, and other topics are not concerned."""
    larger, lived, stands = order("clay", "up-to-1000", 8, 3), order("clay", "up-to-500", 7), order("clay", "up-to-50", 90)
    policy = granted(lived.key, stands.key, order("wool", "up-to-500").key)
    left = without_what_is_lost(policy, larger, (larger, lived, stands))
    assert left is not None
    assert set(left.grants) == {stands.key, order("wool", "up-to-500").key}


def test_the_sample_shrinks_as_the_record_grows_and_never_ends() -> None:
    """A tenth where it was just earned, the least share in the end; a correction brings it up again."""
    key = "support/send-reply/late/no-money"
    grant = Grant(key=key, limit=0.15, sample=0.1, earned_at=NOW)

    def share(approved: int, corrected: int = 0) -> float:
        return sample_share(POLICY, grant, ClassRecord(key=key, approved=approved, corrected=corrected))

    assert 0.08 < share(9) < 0.1
    assert share(9) > share(20) > share(25) > share(400) == POLICY.least_sample
    assert share(40, 1) > share(41)
