"""Every error Steward raises on purpose.

StewardError                 what happened, to what, and what to do (``hint``)
 ├─ DomainError              the input or the request is wrong; repeating it will not help
 │   ├─ InvalidInput         a value that does not parse or breaks a rule
 │   │   ├─ InvalidFields    a document some of whose fields do not fit; names them
 │   │   └─ NotSigned        a call that nobody we know has signed, or one that comes too late or again
 │   ├─ NotFound             a key that names nothing
 │   └─ DecisionRefused      an approval decision that may not be taken
 │       └─ Overtaken        what was shown moved, and is asked anew; says what moved
 ├─ AccessError              who asks may not do this now
 │   ├─ AccessDenied         wrong password, code or token, or not without giving the password once more
 │   └─ TooManyTries         too many wrong ones: wait until ``until``
 ├─ LogError                 the event log refuses
 │   ├─ VersionConflict      somebody else wrote to the stream first
 │   ├─ DuplicateConflict    the same event id with other content
 │   ├─ ChainBroken          the hash chain does not verify
 │   └─ ArchiveDamaged       an archived month is missing, unreadable or not what was sealed
 ├─ EffectError              an outside system did not do what was asked
 │   ├─ Retryable            network, 5xx, 429: the same call may succeed later
 │   ├─ Permanent            4xx, validation: the same call will fail again
 │   │   └─ NotCounted       the shop has no number of an article
 │   ├─ Unknown              sent, but the fate is not known: reconcile, never repeat blindly
 │   ├─ Refused              gate, bounds, breaker or kill switch said no
 │   └─ Stale                the record moved since it was shown
 │       └─ Outdated         what the whole plan was made from moved: plan again
 └─ SetupError               the machine or the configuration is not fit; the hint says what to do
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta


class StewardError(Exception):
    """Root of the tree. ``str(error)`` is one line for people: what happened, and the hint if there is one."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class DomainError(StewardError):
    """The request itself is wrong."""


class InvalidInput(DomainError):
    """A value does not parse or breaks a rule."""


class InvalidFields(InvalidInput):
    """Fields of ``what`` do not fit. ``problems`` are messages by the path of the field (``purchase_order.lines.0.units``)."""

    def __init__(self, what: str, problems: Mapping[str, str]) -> None:
        first, message = next(iter(problems.items()))
        super().__init__(f"{what} is not valid: {first}: {message}", hint="mend it and try again")
        self.problems = dict(problems)


class NotSigned(InvalidInput):
    """A call that was not signed by whom it should come from, or that is from another time than now."""


class NotFound(DomainError):
    """A key names nothing."""


class DecisionRefused(DomainError):
    """An approval decision may not be taken: unknown, stale, expired, already decided, or not allowed."""


class Overtaken(DecisionRefused):
    """What was shown moved, and is asked anew: ``moved`` says what did, ``asked_anew`` is the id of the new question."""

    def __init__(self, *, moved: Sequence[str], asked_anew: str) -> None:
        what = "; ".join(moved) or "it could not be done as it was"
        super().__init__(f"this moved since it was shown: {what}", hint=f"it is asked anew: `steward show {asked_anew[:8]}`")
        self.moved = tuple(moved)
        self.asked_anew = asked_anew


class AccessError(StewardError):
    """Who asks may not do this now."""


class AccessDenied(AccessError):
    """Wrong password, code or token, or the password has to be given once more. Never says which of them."""


class TooManyTries(AccessError):
    """Too many wrong ones. ``until`` is when the next try is looked at; aware."""

    def __init__(self, message: str, *, until: datetime, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.until = until


class LogError(StewardError):
    """The event log refuses an operation."""


class VersionConflict(LogError):
    """The stream is not at the version the writer expected."""


class DuplicateConflict(LogError):
    """An event id was used before for a different event."""


class ChainBroken(LogError):
    """The hash chain does not verify."""


class ArchiveDamaged(LogError):
    """The file of an archived month is missing, unreadable, or does not hold what was sealed."""


class EffectError(StewardError):
    """An outside system did not do what was asked."""


class Retryable(EffectError):
    """The same call may succeed later. ``retry_after`` is the server's own wish, where it stated one."""

    def __init__(self, message: str, *, hint: str = "", retry_after: timedelta | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class Permanent(EffectError):
    """The same call will fail again."""


class NotCounted(Permanent):
    """The shop does not say how many there are of an article, and will not for as long as it is not told to count it."""


class Unknown(EffectError):
    """The call was sent and its fate is not known."""


class Refused(EffectError):
    """A bound, a breaker, the kill switch or the gate said no."""


class Stale(EffectError):
    """The record moved since it was shown."""


class Outdated(Stale):
    """What the plan was made from moved: looking at the same action again does not help, planning again does."""


class SetupError(StewardError):
    """The machine or the configuration is not fit."""
