"""The console's pictures: each a drawing, and the same figures as rows of a table beside it (``m.chart`` shows both)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup

from console import svg
from domain.wording import counted

WIDTH, HEIGHT = 400.0, 190.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 12.0, 10.0, 24.0
_DATES = 4  # as many as fit under a chart on a phone
_DOTS = 40  # more points than these are a line alone
_LEAST_EVIDENCE = -2  # the power of ten below which e-values are not told apart
_SPARK = (100.0, 30.0)

Words = Callable[[float], str]
Legend = tuple[tuple[str, str], ...]
"""(class, words) of what is drawn."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A picture with its figures. ``svg`` is made of escaped parts only."""

    title: str
    svg: Markup
    heads: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    note: str = ""
    legend: Legend = ()


@dataclass(frozen=True, kw_only=True)
class Band:
    """From ``low`` to ``high`` at each point of a line."""

    low: Sequence[float]
    high: Sequence[float]
    words: str


@dataclass(frozen=True)
class _Frame:
    """Where values land in the picture: x from 0 to ``right``, y from ``bottom`` to ``top``."""

    right: float
    top: float
    bottom: float = 0.0

    def x(self, value: float) -> float:
        return _LEFT + value / max(self.right, 1e-9) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.bottom) / max(self.top - self.bottom, 1e-9)
        return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)

    def place(self, x: float, y: float) -> tuple[float, float]:
        return self.x(x), self.y(y)


def line(
    title: str,
    points: Sequence[tuple[date, float | None]],
    *,
    words: Words,
    band: Band | None = None,
    limit: tuple[float, str] | None = None,
    whole: bool = False,
    note: str = "",
) -> Chart:
    """One value a day; a day without one (None) is a gap. ``limit`` is a level to compare with, and its name."""
    known = [v for _, v in points if v is not None]
    levels = svg.ticks(max([*known, *(band.high if band else ()), *([limit[0]] if limit else ())], default=1.0), whole=whole)
    frame = _Frame(max(len(points) - 1, 1), levels[-1])
    parts = [*_grid(frame, levels, words), *_dates(frame, [day for day, _ in points])]
    if band:
        parts.append(_area(frame, band.low, band.high))
    parts += [svg.path([frame.place(x, y) for x, y in piece], class_="l1") for piece in _unbroken(points)]
    parts += _dots(frame, points, words)
    if limit:
        parts.append(svg.line(_LEFT, frame.y(limit[0]), WIDTH - _RIGHT, frame.y(limit[0]), class_="limit"))
    return Chart(
        title=title,
        svg=_drawn(parts, title),
        heads=("day", "value", *(("from", "to") if band else ())),
        rows=_rows(points, words, band),
        note=note,
        legend=(*((("band", band.words),) if band else ()), *((("l4", limit[1]),) if limit else ())),
    )


def bars(title: str, points: Sequence[tuple[date, float]], *, words: Words, note: str = "") -> Chart:
    """One bar a day, or a week; ``points`` name its first day."""
    levels = svg.ticks(max((v for _, v in points), default=1.0))
    frame = _Frame(float(len(points)), levels[-1])
    wide = (WIDTH - _LEFT - _RIGHT) / max(len(points), 1)
    parts = [*_grid(frame, levels, words), *_dates(frame, [day for day, _ in points], middle=0.5)]
    for n, (day, value) in enumerate(points):
        tip, y = f"{day.isoformat()}: {words(value)}", frame.y(value)
        parts.append(svg.bar(frame.x(n) + wide * 0.12, y, wide * 0.76, frame.y(0) - y, class_="c1", tip=tip))
    rows = [(day.isoformat(), words(value)) for day, value in reversed(points)]
    return Chart(title=title, svg=_drawn(parts, title), heads=("day", "value"), rows=rows, note=note)


def cover(title: str, days: Sequence[int], mean: Sequence[float], high: Sequence[float], *, there: float, note: str = "") -> Chart:
    """What is asked for from today on, in units up to each of ``days``, beside what is ``there`` (the limit)."""
    levels = svg.ticks(max([*high, there], default=1.0))
    frame = _Frame(float(days[-1]), levels[-1])
    steps = _round_steps(days[-1])
    parts = [*_grid(frame, levels, _plain), *(_under(frame.x(n), f"{n:g} d") for n in steps)]
    xs, middle = [0, *days], [0.0, *mean]
    parts.append(_area(frame, middle, [0.0, *high], xs))
    parts.append(svg.path([frame.place(x, y) for x, y in zip(xs, middle, strict=True)], class_="l1"))
    tips = zip(days, mean, high, strict=True)
    parts += [
        svg.dot(*frame.place(d, m), 2.5, class_="c1", tip=f"in {counted(d, 'day')}: {m:.1f}, hardly over {h:.1f}")
        for d, m, h in tips
    ]
    level = frame.y(max(there, 0.0))
    parts.append(svg.line(_LEFT, level, WIDTH - _RIGHT, level, class_="limit"))
    rows = [(counted(d, "day"), f"{m:.1f}", f"{h:.1f}") for d, m, h in zip(days, mean, high, strict=True)]
    return Chart(
        title=title,
        svg=_drawn(parts, title),
        heads=("within", "expected", "hardly over"),
        rows=rows,
        note=note,
        legend=(("l1", "expected"), ("band", "up to the service level"), ("l4", f"there and coming: {there:g}")),
    )


def evidence(
    title: str, curve: Sequence[tuple[int, float, float]], *, gain_limit: float, harm_limit: float, note: str = ""
) -> Chart:
    """E-values over results, on a logarithmic scale: for a gain and for harm, and where each of them decides."""
    highest = max([gain_limit, harm_limit, *(max(win, harm) for _, win, harm in curve)])
    least = min([1.0, *(min(win, harm) for _, win, harm in curve)])
    low = max(math.floor(_power(least)), _LEAST_EVIDENCE)
    frame = _Frame(float(max([1, *(n for n, *_ in curve)])), math.ceil(_power(highest)), low)
    decades = range(int(frame.bottom), int(frame.top) + 1)
    parts = [*_levels(frame, [(float(k), f"{10.0**k:g}") for k in decades])]
    parts += [_under(frame.x(n), f"{n:g}") for n in _round_steps(int(frame.right))]
    for limit, class_ in ((gain_limit, "limit gain"), (harm_limit, "limit")):
        parts.append(svg.line(_LEFT, frame.y(math.log10(limit)), WIDTH - _RIGHT, frame.y(math.log10(limit)), class_=class_))
    for which, class_ in ((1, "2"), (2, "4")):
        points = [(point[0], max(_power(point[which]), frame.bottom)) for point in curve]
        parts.append(svg.path([frame.place(0, 0.0), *(frame.place(*p) for p in points)], class_=f"l{class_}"))
        tips = zip(curve, points, strict=True)
        parts += [svg.dot(*frame.place(*p), 2.5, class_=f"c{class_}", tip=f"after {c[0]} results: {c[which]:.2f}") for c, p in tips]
    rows = [(n, f"{win:.2f}", f"{harm:.2f}") for n, win, harm in reversed(curve)]
    return Chart(
        title=title,
        svg=_drawn(parts, title),
        heads=("results", "evidence of a gain", "evidence of harm"),
        rows=rows,
        note=note,
        legend=(("l2", f"for a gain (decides at {gain_limit:g})"), ("l4", f"for harm (decides at {harm_limit:g})")),
    )


def spark(title: str, values: Sequence[float | None]) -> Markup:
    """A line without axes for a tile; ``title`` says it in words."""
    top = max((v for v in values if v is not None), default=0.0) or 1.0
    step = _SPARK[0] / max(len(values) - 1, 1)
    points = [(n * step, _SPARK[1] - 2 - v / top * (_SPARK[1] - 4)) for n, v in enumerate(values) if v is not None]
    drawn = []
    if points:
        drawn.append(svg.path([(points[0][0], _SPARK[1]), *points, (points[-1][0], _SPARK[1])], class_="band", closed=True))
        drawn.append(svg.path(points, class_="l1 thin"))
    return Markup(svg.sparkline(*drawn, width=_SPARK[0], height=_SPARK[1], title=title))  # noqa: S704 - of escaped parts


def _grid(frame: _Frame, levels: Sequence[float], words: Words) -> list[str]:
    return _levels(frame, [(level, words(level)) for level in levels])


def _levels(frame: _Frame, named: Sequence[tuple[float, str]]) -> list[str]:
    """A line across at each level, with its name in front of it."""
    lines = [svg.line(_LEFT, frame.y(level), WIDTH - _RIGHT, frame.y(level), class_="grid") for level, _ in named]
    return [*lines, *(svg.text(name, _LEFT - 5, frame.y(level), class_="tick", anchor="end") for level, name in named)]


def _dates(frame: _Frame, days: Sequence[date], *, middle: float = 0.0) -> list[str]:
    """A few days under the picture, evenly spaced, the last one among them."""
    step = max(math.ceil(len(days) / _DATES), 1)
    shown = range(len(days) - 1, -1, -step)
    return [_under(frame.x(n + middle), f"{days[n].day} {days[n]:%b}") for n in shown]


def _under(x: float, words: str) -> str:
    """Under the picture, and not beyond its edges."""
    return svg.text(words, min(x, WIDTH - 20), HEIGHT - _BOTTOM / 2 + 2, class_="tick", anchor="middle")


def _unbroken(points: Sequence[tuple[date, float | None]]) -> list[list[tuple[float, float]]]:
    """The stretches between gaps, by number of the day."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for n, (_, value) in enumerate(points):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((float(n), value))
    return [piece for piece in pieces if len(piece) > 1]


def _dots(frame: _Frame, points: Sequence[tuple[date, float | None]], words: Words) -> list[str]:
    """A dot a day where they are few; of many, those that stand alone between gaps."""
    known = [(n, day, value) for n, (day, value) in enumerate(points) if value is not None]
    numbers = {n for n, _, _ in known}
    shown = [k for k in known if len(known) <= _DOTS or not {k[0] - 1, k[0] + 1} & numbers]
    return [svg.dot(*frame.place(n, v), 2.5, class_="c1", tip=f"{day.isoformat()}: {words(v)}") for n, day, v in shown]


def _area(frame: _Frame, low: Sequence[float], high: Sequence[float], xs: Sequence[float] | None = None) -> str:
    across = range(len(low)) if xs is None else xs
    over = [frame.place(x, y) for x, y in zip(across, high, strict=True)]
    under = [frame.place(x, y) for x, y in zip(across, low, strict=True)]
    return svg.path([*over, *reversed(under)], class_="band", closed=True)


def _rows(points: Sequence[tuple[date, float | None]], words: Words, band: Band | None) -> list[tuple[Any, ...]]:
    """The latest day first."""
    rows: list[tuple[Any, ...]] = []
    for n, (day, value) in enumerate(points):
        beside = (words(band.low[n]), words(band.high[n])) if band else ()
        rows.append((day.isoformat(), "" if value is None else words(value), *beside))
    return rows[::-1]


def _power(evidence: float) -> float:
    """Of ten; nothing at all is the smallest that is drawn."""
    return math.log10(max(evidence, 10.0**_LEAST_EVIDENCE))


def _round_steps(days: int) -> list[float]:
    return [step for step in svg.ticks(float(days)) if step <= days]


def _plain(value: float) -> str:
    return f"{value:g}"


def _drawn(parts: Sequence[str], title: str) -> Markup:
    return Markup(svg.drawing(*parts, width=WIDTH, height=HEIGHT, title=title))  # noqa: S704 - of escaped parts
