"""An action as a form, and back."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from console.forms import NotValid, edited, fields_of
from domain.actions import PlacePurchaseOrder, RefundOrder
from domain.money import Money
from tests.console.furnish import questions
from tests.contract.outside_cases import PICTURE, page

ACTIONS = [action for action, *_ in questions(datetime(2026, 3, 2, tzinfo=UTC))]


def sent(action: Any, **changes: str) -> dict[str, str]:
    """What a browser sends: every field that can be changed, as text with its own line ends."""
    values = {f.path: str(f.value).replace("\n", "\r\n") for f in fields_of(action) if not f.fixed and f.kind != "check"}
    return values | {name.replace("__", "."): value for name, value in changes.items()}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: a.kind)
def test_a_form_sent_back_unchanged_is_the_same_action(action: Any) -> None:
    """Types and line ends survive the way through the browser."""
    assert edited(action, sent(action)) == action


def test_money_and_units_keep_their_types() -> None:
    """An amount is a decimal, a number of units an integer."""
    refund = edited(ACTIONS[0], sent(ACTIONS[0], amount__amount="12.50"))
    order = edited(ACTIONS[3], sent(ACTIONS[3], purchase_order__lines__0__units="24"))
    assert isinstance(refund, RefundOrder)
    assert isinstance(order, PlacePurchaseOrder)
    assert (refund.amount, refund.amount.amount) == (Money.of("12.50"), Decimal("12.50"))
    assert order.purchase_order.lines[0].units == 24


def test_what_the_action_is_about_cannot_be_changed() -> None:
    """Neither the order, nor the currency, nor the recipient."""
    assert edited(ACTIONS[0], sent(ACTIONS[0], order_id="9", amount__currency="USD")) == ACTIONS[0]
    assert edited(ACTIONS[1], sent(ACTIONS[1], to="thief@evil.example")) == ACTIONS[1]


def test_the_picture_of_a_page_is_shown_and_stays() -> None:
    """It is the product's: another one is given to the product."""
    action = page(picture=PICTURE)
    assert {f.path: f.fixed for f in fields_of(action) if "picture" in f.path} == {
        "piece.picture.url": True,
        "piece.picture.alt": True,
    }
    assert edited(action, sent(action, piece__picture__url="https://evil.example/x.png")) == action


WRONG = [(0, "amount.amount", "much"), (3, "purchase_order.lines.0.units", "2.5"), (5, "address.country", "nowhere")]


@pytest.mark.parametrize(("n", "path", "value"), WRONG)
def test_a_value_that_does_not_fit_is_named(n: int, path: str, value: str) -> None:
    """The problem stands under the path of its field."""
    with pytest.raises(NotValid) as refused:
        edited(ACTIONS[n], sent(ACTIONS[n]) | {path: value})
    assert list(refused.value.problems) == [path]


def test_a_label_says_nothing_twice() -> None:
    """The amount of the amount of a refund is its amount."""
    labels = {field.path: field.label for field in fields_of(RefundOrder(order_id="1", amount=Money.of(5), reason="late"))}
    assert (labels["amount.amount"], labels["amount.currency"]) == ("amount", "amount currency")
