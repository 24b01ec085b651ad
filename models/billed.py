"""Errors of calls that are paid for although they brought no answer."""

from decimal import Decimal

from domain.errors import EffectError, Permanent, Retryable


class Billed(EffectError):
    """An answer that cannot be used. ``cost`` is what it cost, in US dollars."""

    def __init__(self, message: str, *, cost: Decimal, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.cost = cost


class BilledPermanent(Billed, Permanent):
    """Asking again would cost again and bring the same."""


class BilledRetryable(Billed, Retryable):
    """Another answer to the same question may be usable."""
