"""Templates: everything is escaped, a name that is missing is an error, and moments are shown in the shop's own time."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from console.places import place_of
from domain import wording
from domain.event import Event
from domain.learning import MetricSummary
from domain.metrics import METRICS
from domain.money import Money
from domain.story import story
from domain.undoing import Undoing
from domain.wording import counted, left

_CODE = re.compile("`([^`]+)`")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
TEMPLATES = Path(__file__).with_name("templates")


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_marked,
    )
    made.filters.update(clock=clock, day=day, stamp=stamp, left=left, money=money, pretty=pretty, percent=percent)
    made.filters.update(place=place_of, lines=lines, outcome=outcome, counted=counted)
    made.filters.update(undone_by=undone_by, staying=staying, coded=coded, exactly=Exact)
    return made


class Exact(str):
    """A text that is sent back as it came, as the value of a field."""

    __slots__ = ()


def _marked(value: Any) -> Any:
    """What strangers wrote cannot turn the page round: characters that turn the direction of a text are shown by their name."""
    if isinstance(value, Exact) or not isinstance(value, str) or not _TURNING.search(value):
        return value
    marked = _TURNING.sub(lambda one: f"[U+{ord(one[0]):04X}]", value)
    return Markup(marked) if isinstance(value, Markup) else marked  # noqa: S704 - as safe as it was


def render(template: str, context: Mapping[str, Any]) -> str:
    return environment().get_template(template).render(context)


def clock(moment: datetime | None, zone: str) -> str:
    """``Mon 3 Mar 08:15`` in the zone; empty for None."""
    return "" if moment is None else wording.clock(moment, zone)


def stamp(moment: datetime, zone: str) -> str:
    """``2026-03-03 08:15`` in the zone: where the year matters."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def day(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).date().isoformat()


def money(amount: Money) -> str:
    return str(amount)


def percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def lines(events: Sequence[Event]) -> list[tuple[datetime, str]]:
    """(when, one line) of what happened, the newest first, as the events are given; many of a kind in a row are one."""
    return story(events[::-1])[::-1]


def outcome(summary: MetricSummary) -> tuple[str, int, str, int]:
    """(result, cases, mean in its own unit, bad ones), as a row of a table."""
    metric = METRICS.get(summary.metric)
    unit = metric.measured_in if metric else ""
    share = unit in ("yes or no", "share")
    mean = percent(summary.mean) if share else f"{summary.mean:.1f} {unit}".strip()
    return summary.metric, summary.count, mean, summary.bad


def undone_by(plan: Undoing) -> list[tuple[str, str]]:
    """(what was done, what undoes it), in the order in which that happens."""
    return [(undo.effect.action.summary(), undo.inverse.summary()) for undo in plan.undo]


def staying(plan: Undoing) -> list[tuple[str, str]]:
    """(what was done, why it stays)."""
    return [(stay.effect.action.summary(), stay.why) for stay in plan.stays]


def coded(text: str) -> Markup:
    """What stands between backticks as code; the rest is escaped like everything."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


def pretty(value: Any) -> str:
    """JSON for people."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
