"""What the operator may say of the shop and its products, and what is refused with the place where it is changed."""

from datetime import UTC, datetime

import pytest

from cli.own_words import attributes_of, check_currency, described_shop
from domain.entities import Address, Order, OrderLine, Product
from domain.errors import InvalidInput
from domain.money import Money

SHOP = {"name": "Mud", "email": "a@b.example", "currency": "EUR", "site_url": "https://mud.example", "signature": "Mia"}


def product(currency: str) -> Product:
    price = Money.of("5", currency)
    return Product(sku="A", title="Mug", price=price, unit_cost=price, supplier_id="s")


def order(currency: str) -> Order:
    price = Money.of("5", currency)
    address = Address(name="Ada", line1="1 Mill Lane", city="Bath", country="GB")
    return Order(
        order_id="7",
        customer_id="c",
        email="a@b.example",
        lines=(OrderLine(sku="A", title="Mug", units=1, unit_price=price),),
        total=price,
        placed_at=datetime(2026, 3, 1, tzinfo=UTC),
        ship_to=address,
    )


def test_the_attributes_of_a_product_are_texts() -> None:
    assert attributes_of(["care=by hand", "weight_g = 450", "rule=a=b"]) == {"care": "by hand", "weight_g": "450", "rule": "a=b"}


@pytest.mark.parametrize(
    ("word", "where"),
    [
        ("price=1", "import catalog"),
        ("Title=Mug", "import catalog"),
        ("unit cost=1", "import catalog"),
        ("supplier=Potter", "import catalog"),
        ("sku=B", "import catalog"),
        ("on_hand=3", "received"),
        ("care", "care='dishwasher safe'"),
        ("=x", "care='dishwasher safe'"),
    ],
)
def test_what_the_record_itself_says_is_not_described(word: str, where: str) -> None:
    """Else memory would say something else than the catalogue."""
    with pytest.raises(InvalidInput, match=where) as refused:
        attributes_of([word])
    assert "refund_limit" not in str(refused.value)


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("site_url", "javascript:alert(1)", "https://"),
        ("site_url", "mud.example", "https://"),
        ("site_url", "https://", "https://"),
        ("currency", "XXXX", "three letters, such as --set currency=EUR"),
        ("currency", "E1R", "three letters"),
        ("email", "nowhere", "no mail address"),
        ("signature", "", "the shop has no signature yet"),
    ],
)
def test_a_shop_that_cannot_be_is_refused(field: str, value: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        described_shop({**SHOP, field: value})


def test_a_shop_may_have_no_site() -> None:
    assert described_shop({**SHOP, "site_url": " "}).site_url == ""


def test_a_currency_may_be_written_small() -> None:
    assert described_shop({**SHOP, "currency": "usd"}).currency == "USD"


def test_a_shop_has_the_currency_of_its_catalogue_and_orders() -> None:
    """Some orders may be in others."""
    check_currency("EUR", [product("EUR")], [order("EUR"), order("USD")])
    with pytest.raises(InvalidInput, match=r"1 article has a price in EUR .*--currency USD"):
        check_currency("USD", [product("EUR")], [])
    with pytest.raises(InvalidInput, match=r"1 order was paid in EUR .*another folder"):
        check_currency("USD", [], [order("EUR")])
