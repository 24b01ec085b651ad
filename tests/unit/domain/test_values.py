"""Money, ids and digests."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.entities import ContentPiece, Picture
from domain.errors import InvalidInput
from domain.ids import canonical_json, derived_id, digest, slugify
from domain.money import Money

MONEY = st.decimals(min_value=-9999, max_value=9999, places=2).map(lambda amount: Money(amount=amount))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(MONEY, max_size=20))
def test_a_sum_of_money_is_exact(amounts: list[Money]) -> None:
    """No cent is lost, in whatever order it is added up."""
    forward, backward = sum(amounts, Money.zero()), sum(reversed(amounts), Money.zero())
    assert forward == backward
    assert forward.amount == sum((a.amount for a in amounts), Decimal(0))


def test_money_of_two_currencies_is_never_combined() -> None:
    """Adding and comparing both refuse."""
    with pytest.raises(InvalidInput, match="USD with EUR"):
        Money.of(1, "USD") + Money.of(1)
    with pytest.raises(InvalidInput, match="EUR with USD"):
        assert Money.of(1) < Money.of(1, "USD")


def test_money_rounds_to_its_currency() -> None:
    """Yen have no minor unit, halves go to the even neighbour."""
    assert Money.of("10.005").rounded() == Money.of("10.00")
    assert Money.of("10.5", "JPY").rounded() == Money.of("10", "JPY")


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_derived_ids_are_equal_only_for_equal_parts(left: list[str], right: list[str]) -> None:
    """Parts never run into each other."""
    assert (derived_id(*left) == derived_id(*right)) == (left == right)


@given(st.dictionaries(st.text(), PLAIN, max_size=5))
def test_canonical_json_does_not_depend_on_the_order_of_keys(value: dict[str, object]) -> None:
    """Equal mappings have one text and one digest."""
    reordered = dict(reversed(value.items()))
    assert canonical_json(reordered) == canonical_json(value)
    assert digest(reordered) == digest(value)


def test_a_moment_has_one_canonical_text_in_every_zone() -> None:
    """Digests do not depend on where they are computed."""
    utc = datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert canonical_json(utc.astimezone(timezone(timedelta(hours=5)))) == canonical_json(utc)


@given(st.text(max_size=300))
def test_a_slug_is_never_empty_and_always_clean(text: str) -> None:
    """It can stand in a path and in an address."""
    slug = slugify(text)
    assert 1 <= len(slug) <= 80
    assert slug.strip("-") == slug
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@pytest.mark.parametrize(
    "url",
    [
        "http://mill.example/mug.png",
        "HTTPS://mill.example/mug.png",
        "https:///mug.png",
        "https://me@mill.example/mug.png",
        "https://me:pw@mill.example/mug.png",
        "https://mill.example/my mug.png",
        "https://mill.example/mug\n.png",
        "https://mill.example:99999/mug.png",
        "https://[mill/mug.png",
        "ftp://mill.example/mug.png",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "/mug.png",
        "",
        f"https://mill.example/{'m' * 2_000}",
    ],
)
def test_a_picture_has_an_https_address_and_no_password(url: str) -> None:
    with pytest.raises(ValidationError):
        Picture(url=url, alt="A mug")


def test_what_was_written_before_there_were_pictures_is_read_and_told_apart_as_it_was() -> None:
    """A product and a page without one: the same text, so the same digest."""
    old = {"slug": "mugs", "kind": "faq", "title": "Mugs", "description": "Of mugs", "body": "# Mugs", "keyword": "mug"}
    piece = ContentPiece.model_validate(old)
    pictured = piece.model_copy(update={"picture": Picture(url="https://mill.example/mug.png", alt="A mug")})
    assert "picture" not in piece.model_dump(mode="json")
    assert ContentPiece.model_validate(pictured.model_dump(mode="json")) == pictured
    assert digest(pictured) != digest(piece)
