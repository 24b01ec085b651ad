"""Durations as people type them."""

import re
from datetime import timedelta

from domain.errors import InvalidInput

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(text: str) -> timedelta:
    """``90m``, ``2h``, ``1d``, ``1w``, or several in a row (``1d12h``). Raises InvalidInput."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([mhdw])", text.strip().lower())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip().lower():
        raise InvalidInput(f"{text!r} is not a duration", hint="for example 30m, 2h or 1d")
    return sum((timedelta(**{_UNITS[unit]: float(number)}) for number, unit in parts), timedelta())
