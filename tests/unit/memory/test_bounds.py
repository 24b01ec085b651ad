"""The arithmetic of bounds."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

from domain.actions import Bound, RefundOrder
from domain.money import Money
from domain.policies import BoundsPolicy
from memory.bounds import charges, first_exceeded
from tests.unit.domain.happenings import NOW

REFUND = RefundOrder(order_id="1001", amount=Money.of(120), reason="late")


def test_an_action_is_charged_to_its_day_and_to_its_run() -> None:
    """The day is the day in UTC."""
    evening = datetime(2026, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=-3)))
    wanted = charges(REFUND, run_id="r", now=evening, policy=BoundsPolicy())
    assert [(c.scope, c.bound, c.amount) for c in wanted] == [
        ("day/2026-03-02", Bound.REFUND_MONEY, Decimal(120)),
        ("day/2026-03-02", Bound.REFUNDS, Decimal(1)),
        ("run/r", Bound.REFUND_MONEY, Decimal(120)),
        ("run/r", Bound.REFUNDS, Decimal(1)),
    ]


def test_reaching_a_bound_exactly_is_allowed_and_one_cent_more_is_not() -> None:
    """The sentence says what is used and what is needed."""
    wanted = charges(REFUND, run_id="r", now=NOW, policy=BoundsPolicy(per_run={}))
    used = {("day/2026-03-01", Bound.REFUND_MONEY): Decimal(380)}
    assert first_exceeded(wanted, used) == ""
    sentence = first_exceeded(wanted, {("day/2026-03-01", Bound.REFUND_MONEY): Decimal("380.01")})
    assert sentence == "refund-money is limited to 500 a day: 380.01 is used and this needs 120"


def test_a_bound_that_policy_does_not_name_limits_nothing() -> None:
    """No rule, no bound."""
    wanted = charges(REFUND, run_id="r", now=NOW, policy=BoundsPolicy(per_day={}, per_run={}))
    assert first_exceeded(wanted, {(c.scope, c.bound): Decimal(10**9) for c in wanted}) == ""
