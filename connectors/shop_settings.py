"""Settings that every kind of shop asks for."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

from domain.errors import InvalidInput

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def web_address(value: str) -> str:
    """The address of a shop, without a slash at its end. Raises InvalidInput for one that would send secrets unprotected."""
    address = value.strip()
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if not host or parts.username or parts.query or parts.fragment or any(c.isspace() for c in address):
        raise InvalidInput(f"{address[:60]!r} is not a web address", hint="such as https://shop.example")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise InvalidInput(f"{address[:60]!r} would send its secrets unprotected", hint="with https://")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def since_day(value: str) -> str:
    """``today``, ``year`` (the last 365 days), or an ISO date."""
    today = datetime.now(UTC).date()
    words = {"today": today, "year": today - timedelta(days=365)}
    try:
        return (words.get(value.strip().lower()) or date.fromisoformat(value.strip())).isoformat()
    except ValueError:
        raise InvalidInput(f"{value.strip()[:40]!r} is not a day", hint="year, today, or such as 2026-01-31") from None
