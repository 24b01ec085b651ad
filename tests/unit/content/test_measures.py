"""Figures are compared by value and unit, however they are written."""

import pytest

from agents.skills.measures import identifiers, unsupported_measures


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("It is 12 cm wide", "12cm"),
        ("12 centimetres", "12 cm"),
        ("it costs €1,299", "1,299.00 EUR"),
        ("1.299,00 €", "1299 EUR"),
        ("half of it, 50 %", "50% cotton"),
        ("9 by 9.5 cm", "9 x 9.5 cm"),
        ("9x9.5 cm", "9 x 9.5 cm"),
        ("20-30 cm", "20 to 30 cm"),
        ("two years", "2 years"),
        ("number 3000", "Lamp 3000"),
        ("up to 220 degrees", "oven safe to 220 °C"),
    ],
)
def test_supported(text: str, fact: str) -> None:
    """A figure that stands in a fact is supported."""
    assert unsupported_measures(text, [fact]) == []


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("12 mm", "12 cm"),
        ("13 cm", "12 cm"),
        ("1,299 EUR", "1,199.00 EUR"),
        ("19.50 USD", "19.50 EUR"),
        ("350 ml", "Mug 350"),
        ("three years", "2 years"),
        ("99 % of buyers", "9 %"),
        ("9 x 9 cm", "9.5 cm"),
    ],
)
def test_unsupported(text: str, fact: str) -> None:
    """Another value, another unit, or a unit that the fact does not have is not supported."""
    assert unsupported_measures(text, [fact])


def test_identifiers() -> None:
    """Words with digits in them are names, not figures."""
    assert identifiers("The X3000 and STO-PLATE-26 on A4") == {"x3000", "sto-plate-26", "a4"}
