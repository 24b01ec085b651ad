"""What the operator says of the shop and its products, checked before it is recorded. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from domain.entities import Order, Product, Shop
from domain.errors import InvalidInput
from domain.problems import first_problem
from domain.wording import counted

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_CURRENCY = re.compile(r"[A-Z]{3}")
_OF_STOCK = frozenset({"on_hand", "stock", "units"})
_OF_THE_CATALOGUE = frozenset({"cost", "currency", "supplier", "supplier_email", "image_url", "image_alt", *Product.model_fields})


def described_shop(document: Mapping[str, Any]) -> Shop:
    """A site is not needed. Raises InvalidInput."""
    if missing := next((name for name in ("name", "email", "signature") if not document[name].strip()), None):
        raise InvalidInput(f"the shop has no {missing} yet", hint=f"give --set {missing}=… too")
    if not _ADDRESS.fullmatch(document["email"]):
        raise InvalidInput(f"{document['email']!r} is no mail address", hint="for example --set email=shop@example.com")
    currency = document["currency"].strip().upper()
    if not _CURRENCY.fullmatch(currency):
        raise InvalidInput(f"{document['currency']!r} is no currency", hint="three letters, such as --set currency=EUR")
    site = document["site_url"].strip()
    if site and not _is_web_address(site):
        hint = "it begins with https:// or http://, such as --set site_url=https://shop.example"
        raise InvalidInput(f"{document['site_url']!r} is no address of a site", hint=hint)
    try:
        return Shop.model_validate({**document, "currency": currency, "site_url": site})
    except ValidationError as error:
        field, problem = first_problem(error)
        raise InvalidInput(f"shop.{field}: {problem}", hint="`./steward shop --help` names the fields") from error


def check_currency(currency: str, products: Iterable[Product], orders: Sequence[Order]) -> None:
    """Money is never converted, so a shop has one currency. An order in another one is no trouble where others are in this.

    Raises InvalidInput.
    """
    listed = Counter(product.price.currency for product in products if product.active)
    if other := next((c for c in sorted(listed) if c != currency), None):
        hint = f"import the catalogue in {currency} first (`./steward import catalog FILE --currency {currency}`), or say {other}"
        raise InvalidInput(f"{counted(listed[other], 'article has', 'articles have')} a price in {other}", hint=hint)
    paid = Counter(order.total.currency for order in orders)
    if paid and currency not in paid:
        other = min(paid)
        hint = f"stay with {other}, or begin a new business for {currency} with STEWARD_HOME set to another folder"
        raise InvalidInput(f"{counted(paid[other], 'order was', 'orders were')} paid in {other}", hint=hint)


def attributes_of(words: Sequence[str]) -> dict[str, str]:
    """What ``describe`` says. Raises InvalidInput for what is no NAME=VALUE, and for names that the record itself has."""
    pairs = [(word, *word.partition("=")) for word in words]
    if wrong := next((word for word, name, equals, _ in pairs if not equals or not name.strip()), None):
        raise InvalidInput(f"{wrong!r} is not NAME=VALUE", hint="for example care='dishwasher safe'")
    said = {name.strip(): value.strip() for _, name, _, value in pairs}
    for name in said:
        _refuse_own(name)
    return said


def _refuse_own(name: str) -> None:
    plain = name.lower().replace(" ", "_").replace("-", "_")
    if plain in _OF_STOCK:
        hint = "`./steward received` takes a delivery in, and `./steward import catalog FILE` a count (on_hand)"
        raise InvalidInput(f"{name!r} is counted, not described", hint=hint)
    if plain in _OF_THE_CATALOGUE:
        hint = "change it there: `./steward import catalog FILE`, or in the connected shop"
        raise InvalidInput(f"{name!r} comes from the catalogue", hint=hint)


def _is_web_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", address)
    except ValueError:
        return False
