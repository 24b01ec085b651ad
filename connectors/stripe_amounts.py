"""Amounts as Stripe counts them: whole numbers of a currency's smallest unit, with exceptions of its own.

Source: docs.stripe.com/currencies, "Zero-decimal currencies", "Three-decimal currencies" and "Special cases": ISK and UGX have no
smaller unit and are counted in hundredths all the same; three-decimal amounts end in 0.
"""

from decimal import Decimal

from domain.errors import Permanent
from domain.money import Money

_ZERO = {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
_THREE = {"BHD", "JOD", "KWD", "OMR", "TND"}
_WHOLE_HUNDREDS = {"ISK", "UGX"}


def to_minor(money: Money) -> int:
    """Raises Permanent for an amount that Stripe cannot count exactly."""
    minor = money.amount.scaleb(_digits(money.currency))
    step = 100 if money.currency in _WHOLE_HUNDREDS else 10 if money.currency in _THREE else 1
    if minor != int(minor) or int(minor) % step:
        raise Permanent(f"{money.amount} {money.currency} is not an amount that Stripe can move", hint="round it")
    return int(minor)


def from_minor(amount: int, currency: str) -> Money:
    code = currency.upper()
    return Money(amount=Decimal(amount).scaleb(-_digits(code)), currency=code)


def _digits(currency: str) -> int:
    return 0 if currency in _ZERO else 3 if currency in _THREE else 2
