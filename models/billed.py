"""Errors of calls that are paid for although they brought no answer."""

from datetime import timedelta
from decimal import Decimal

from domain.errors import EffectError, Permanent, Retryable


class Billed(EffectError):
    """An answer that cannot be used. ``cost`` is what it cost, in US dollars."""

    cost: Decimal


class BilledPermanent(Billed, Permanent):
    def __init__(self, message: str, *, cost: Decimal, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.cost = cost


class BilledRetryable(Billed, Retryable):
    def __init__(self, message: str, *, cost: Decimal, hint: str = "", retry_after: timedelta | None = None) -> None:
        Retryable.__init__(self, message, hint=hint, retry_after=retry_after)
        self.cost = cost
