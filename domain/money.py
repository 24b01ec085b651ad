"""Money: a decimal with a currency. Never a float; never two currencies in one sum."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints

from domain.errors import InvalidInput
from domain.model import Value

# ISO 4217 minor units; two is the rule, these are the exceptions a small shop may meet.
_MINOR_UNITS = {"JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "VND": 0, "BHD": 3, "KWD": 3, "TND": 3, "JOD": 3, "OMR": 3}

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


def _finite(amount: Decimal) -> Decimal:
    if not amount.is_finite():
        raise ValueError("an amount of money is a finite number")
    return amount


class Money(Value):
    """``amount`` in major units of ``currency`` (ISO 4217)."""

    amount: Annotated[Decimal, AfterValidator(_finite), Field(max_digits=18, decimal_places=6)]
    currency: Currency = "EUR"

    @classmethod
    def of(cls, amount: Decimal | int | str, currency: str = "EUR") -> Self:
        return cls(amount=Decimal(amount), currency=currency)

    @classmethod
    def zero(cls, currency: str = "EUR") -> Self:
        return cls(amount=Decimal(0), currency=currency)

    def rounded(self) -> "Money":
        """To the currency's minor unit, half to even."""
        step = Decimal(1).scaleb(-_MINOR_UNITS.get(self.currency, 2))
        return Money(amount=self.amount.quantize(step, rounding=ROUND_HALF_EVEN), currency=self.currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(amount=self.amount + self._same(other).amount, currency=self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(amount=self.amount - self._same(other).amount, currency=self.currency)

    def __mul__(self, factor: int | Decimal) -> "Money":
        return Money(amount=self.amount * factor, currency=self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other).amount

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other).amount

    def __gt__(self, other: "Money") -> bool:
        return self.amount > self._same(other).amount

    def __ge__(self, other: "Money") -> bool:
        return self.amount >= self._same(other).amount

    def __str__(self) -> str:
        return f"{self.rounded().amount:,} {self.currency}"

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise InvalidInput(f"cannot combine {self.currency} with {other.currency}", hint="convert one of them first")
        return other
