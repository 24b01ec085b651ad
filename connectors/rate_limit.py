"""What a server says about how often it may be called. Pure: headers in, a span out.

Spans are measured against the server's own clock, its ``Date`` header, so that a clock that is off here does no harm.
Retry-After: RFC 9110, 10.2.3. RateLimit-Remaining and -Reset: draft-ietf-httpapi-ratelimit-headers; X-RateLimit-Reset
is a span in seconds at some servers and a moment in seconds since 1970 at others. HubSpot has names of its own, and says
how long its window is.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_LONGEST = timedelta(days=1)
_A_MOMENT = 1_000_000_000  # a larger number of seconds is no span


def retry_after(headers: Mapping[str, str], *, now: datetime) -> timedelta | None:
    """How long the server asks to be left alone, at most a day; None where it says nothing that can be read."""
    wish = headers.get("retry-after", "").strip()
    if wish.isascii() and wish.isdecimal():
        return _within(float(wish))
    moment = _date(wish)
    return None if moment is None else _within((moment - _server_time(headers, now)).total_seconds())


def exhausted_for(headers: Mapping[str, str], *, now: datetime) -> timedelta | None:
    """How long until another call is allowed, where this was the last one."""
    for prefix in ("ratelimit", "x-ratelimit", "x-rate-limit"):
        remaining, reset = (_number(headers.get(f"{prefix}-{what}", "")) for what in ("remaining", "reset"))
        if remaining is not None and remaining <= 0 and reset is not None:
            return _within(reset - _server_time(headers, now).timestamp() if reset > _A_MOMENT else reset)
    remaining, span = (_number(headers.get(f"x-hubspot-ratelimit-{what}", "")) for what in ("remaining", "interval-milliseconds"))
    return _within(span / 1_000) if remaining is not None and remaining <= 0 and span is not None else None


def _server_time(headers: Mapping[str, str], now: datetime) -> datetime:
    return _date(headers.get("date", "")) or now


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _number(text: str) -> float | None:
    first = text.split(",", maxsplit=1)[0].split(";", maxsplit=1)[0].strip()
    try:
        number = float(first)
    except ValueError:
        return None
    return number if abs(number) < 1e12 else None


def _within(seconds: float) -> timedelta:
    return min(max(timedelta(seconds=min(seconds, _LONGEST.total_seconds())), timedelta(0)), _LONGEST)
