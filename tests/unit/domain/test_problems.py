"""What is wrong with a value is said in plain words, and nothing of the value is repeated."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import AwareDatetime, Field, ValidationError

from domain.actions import ACTION
from domain.model import Value
from domain.money import Money
from domain.problems import first_problem, problems
from domain.wording import counted


class Form(Value):
    title: Annotated[str, Field(min_length=1, max_length=20)] = "x"
    units: Annotated[int, Field(ge=1)] = 1
    share: Annotated[Decimal, Field(decimal_places=2)] = Decimal(1)
    price: Money = Money.of(1)
    color: Literal["red", "blue"] = "red"
    words: Annotated[tuple[str, ...], Field(max_length=1)] = ()
    at: AwareDatetime = datetime.fromisoformat("2026-03-02T10:00:00+00:00")


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"title": "a" * 26}, "title", "at most 20 characters, this has 26"),
        ({"title": ""}, "title", "must not be empty"),
        ({"title": 3}, "title", "must be a text"),
        ({"units": "many"}, "units", "must be a whole number"),
        ({"units": 1.5}, "units", "must be a whole number"),
        ({"units": 0}, "units", "must be at least 1"),
        ({"share": "0.123"}, "share", "must have no more than 2 decimal places"),
        ({"price": {"amount": "free", "currency": "EUR"}}, "price.amount", "must be a number"),
        ({"price": {"currency": "EUR"}}, "price.amount", "is missing"),
        ({"color": "green"}, "color", "must be 'red' or 'blue'"),
        ({"words": ["a", "b"]}, "words", "at most 1 entry, this has 2"),
        ({"at": "soon"}, "at", "must be a time, such as 2026-01-31T12:00:00+01:00"),
        ({"at": "2026-01-31T12:00:00"}, "at", "must say its time zone, such as 2026-01-31T12:00:00+01:00"),
        ({"titel": "x"}, "titel", "there is no such field"),
    ],
)
def test_a_problem_in_plain_words(given: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Form.model_validate(given)
    assert first_problem(refused.value) == (field, words)


def test_the_kind_of_action_is_no_part_of_a_field() -> None:
    """The union adds it."""
    with pytest.raises(ValidationError) as refused:
        ACTION.validate_python({"kind": "send-reply", "to": 1})
    assert {"to": "must be a text", "body": "is missing"}.items() <= problems(refused.value, within=1).items()


def test_numbers_and_their_words_agree() -> None:
    assert [counted(0, "line"), counted(1, "line"), counted(2_000, "entry", "entries")] == ["0 lines", "1 line", "2,000 entries"]
