"""How moments, durations and happenings are put into words."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain.errors import InvalidInput

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=3_650)


def parse_duration(text: str) -> timedelta:
    """``90m``, ``2h``, ``1d``, ``1w``, or several in a row (``1d12h``). Raises InvalidInput."""
    parts = re.findall(r"(\d{1,6}(?:\.\d{1,6})?)([mhdw])", text.strip().lower())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip().lower():
        raise InvalidInput(f"{text!r} is not a duration", hint="for example 30m, 2h or 1d")
    span = sum((timedelta(**{_UNITS[unit]: float(number)}) for number, unit in parts), timedelta())
    if span > _LONGEST:
        raise InvalidInput(f"{text!r} is more than ten years", hint="for example 30m, 2h or 1d")
    return span


def counted(number: int, one: str, many: str = "") -> str:
    """``1 line``, ``2,000 lines``; ``many`` where it is not ``one`` and an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def clock(moment: datetime, zone: str) -> str:
    """``Mon 3 Mar 08:15`` in the zone (IANA)."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def left(span: timedelta) -> str:
    """The two biggest units of what is left: ``2 d 4 h``, ``35 min``."""
    minutes = max(0, int(span.total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
