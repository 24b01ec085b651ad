"""The report's charts. Each takes the report and returns a picture; the page shows the same figures as a table beside it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from console import svg
from demo.report import ALONE, APPROVED, OPERATOR, SILENT, UNDONE, WAITING, DemoReport, StockRow

WIDTH = 460.0
_LEFT = 148.0
_RIGHT = 42.0
_TOP = 6.0
_ROW = 22.0
_BAR = 14.0
_AXIS = 26.0
_STACK = 11.0  # from dot to dot where they pile up
CLASS_OF = {ALONE: "c1", APPROVED: "c2", WAITING: "c3", OPERATOR: "c4", SILENT: "c5", UNDONE: "c4"}
_FULL_COVER = 90.0  # days; longer covers are drawn at the edge and told in the table


@dataclass(frozen=True)
class Picture:
    """``svg`` and the meaning of its colours as (class, words)."""

    svg: str
    legend: tuple[tuple[str, str], ...]


Scale = Callable[[float], float]
Segments = Sequence[tuple[str, Sequence[tuple[str, float]]]]
"""(row, ((outcome, size), ...)) in drawing order."""


def tickets_by_intent(report: DemoReport) -> Picture:
    counted = Counter((t.intent, t.outcome) for t in report.tickets)
    intents = [intent for intent, _ in Counter(t.intent for t in report.tickets).most_common()]
    rows = [(i, [(o, float(counted[i, o])) for o in CLASS_OF if counted[i, o]]) for i in intents]
    return _stacked(rows, title="Tickets by intent and outcome", unit=lambda n: f"{n:.0f}")


def money_by_supplier(report: DemoReport) -> Picture:
    totals: dict[str, dict[str, Decimal]] = {}
    for row in report.purchases:
        of_supplier = totals.setdefault(row.supplier, {})
        of_supplier[row.outcome] = of_supplier.get(row.outcome, Decimal(0)) + row.total
    ordered = sorted(totals.items(), key=lambda item: -sum(item[1].values()))
    rows = [(supplier, [(o, float(by[o])) for o in CLASS_OF if o in by]) for supplier, by in ordered]
    return _stacked(rows, title="Purchase money by supplier", unit=lambda n: f"{n:,.0f}")


def stock_cover(report: DemoReport) -> Picture:
    """One line a SKU that was ordered: from its cover in the morning to its cover with what is on order."""
    rows = [row for row in report.stock if row.ordered and row.daily]
    top = svg.ticks(min(max((row.after or 0.0 for row in rows), default=1.0), _FULL_COVER))
    scale = _scale(top[-1])
    parts = [_axis(top, scale, len(rows), lambda n: f"{n:.0f} d")]
    for n, row in enumerate(rows):
        parts.append(_cover_line(row, _TOP + n * _ROW + _ROW / 2, scale))
    legend = (("c3", "this morning"), ("c1", "with what is ordered"))
    return _picture(parts, legend, rows=len(rows), title="Days of cover of the ordered SKUs, before and after")


def response_times(report: DemoReport) -> Picture:
    """One dot an answered ticket, stacked where they are close, by seconds to the first answer."""
    answered = sorted((t.seconds, t.outcome, t.subject) for t in report.tickets if t.seconds is not None)
    top = svg.ticks(max((seconds for seconds, *_ in answered), default=1.0))
    scale = _scale(top[-1], left=20.0)
    stacked: Counter[int] = Counter()
    dots = []
    for seconds, outcome, subject in answered:
        column = round(scale(seconds) / _STACK)
        dots.append((scale(seconds), stacked[column], outcome, f"{subject}: {seconds:.1f} s"))
        stacked[column] += 1
    rows = max(4.0, max(stacked.values(), default=0) * _STACK / _ROW + 1)
    floor = _TOP + rows * _ROW
    parts = [_axis(top, scale, rows, lambda n: f"{n:.0f} s")]
    parts += [svg.dot(x, floor - 8 - _STACK * n, 5, class_=CLASS_OF[o], tip=tip) for x, n, o, tip in dots]
    return _picture(parts, _legend({outcome for *_, outcome, _ in dots}), rows=rows, title="Seconds to the first answer")


def timeline(report: DemoReport) -> Picture:
    """Every effect on a lane of its kind, and the time the worker was dead."""
    kinds = sorted({effect.kind for effect in report.effects})
    last = max((report.since_start(e.at) for e in report.effects), default=1.0)
    top = svg.ticks(last, 8)
    scale = _scale(top[-1])
    floor = _TOP + len(kinds) * _ROW
    parts = [_axis(top, scale, len(kinds), lambda n: f"{n:.0f} s"), *_lanes(kinds)]
    parts += _dead_worker(report, scale, floor)
    for effect in report.effects:
        y = _TOP + kinds.index(effect.kind) * _ROW + _ROW / 2
        class_ = "c4" if effect.compensates else "c1"
        parts.append(svg.dot(scale(report.since_start(effect.at)), y, 5, class_=class_, tip=f"{effect.summary} ({effect.status})"))
    legend = (("c1", "effect"), ("c4", "compensation"), ("dead", "the worker is dead"))
    return _picture(parts, legend, rows=len(kinds), title="Effects over the day, with the worker's end marked")


def _lanes(kinds: Sequence[str]) -> list[str]:
    return [svg.text(kind, _LEFT - svg.GUTTER, _TOP + n * _ROW + _ROW / 2, anchor="end") for n, kind in enumerate(kinds)]


def _dead_worker(report: DemoReport, scale: Scale, floor: float) -> list[str]:
    start, end = (scale(report.since_start(at)) for at in (report.kill.at, report.kill.back_at))
    tip = f"worker {report.kill.pid} killed; worker {report.kill.new_pid} took over"
    band = svg.bar(start, _TOP, end - start, floor - _TOP, class_="dead", tip=tip)
    return [band, svg.line(start, _TOP, start, floor, class_="kill")]


def _cover_line(row: StockRow, y: float, scale: Scale) -> str:
    before, after = (scale(min(days or 0.0, _FULL_COVER)) for days in (row.before, row.after))
    tip = f"{row.title}: {row.before:.0f} days before, {row.after:.0f} after"
    return (
        svg.text(row.sku, _LEFT - svg.GUTTER, y, anchor="end")
        + svg.line(before, y, after, y, class_="span")
        + svg.dot(before, y, 5, class_="c3", tip=tip)
        + svg.dot(after, y, 5, class_="c1", tip=tip)
    )


def _stacked(rows: Segments, *, title: str, unit: Callable[[float], str]) -> Picture:
    top = svg.ticks(max((sum(size for _, size in parts) for _, parts in rows), default=1.0))
    scale = _scale(top[-1])
    parts = [_axis(top, scale, len(rows), unit)]
    for n, (name, segments) in enumerate(rows):
        parts.append(_stack(name, segments, _TOP + n * _ROW + _ROW / 2, scale, unit))
    return _picture(parts, _legend({outcome for _, segments in rows for outcome, _ in segments}), rows=len(rows), title=title)


def _stack(name: str, segments: Sequence[tuple[str, float]], y: float, scale: Scale, unit: Callable[[float], str]) -> str:
    parts, done = [svg.text(name, _LEFT - svg.GUTTER, y, anchor="end")], 0.0
    for outcome, size in segments:
        x, end = scale(done), scale(done + size)
        tip = f"{name}: {unit(size)} {outcome}"
        parts.append(svg.bar(x, y - _BAR / 2, end - x - 1, _BAR, class_=CLASS_OF[outcome], tip=tip))
        done += size
    return "".join((*parts, svg.text(unit(done), scale(done) + 5, y, class_="value")))


def _axis(values: Sequence[float], scale: Scale, rows: float, unit: Callable[[float], str]) -> str:
    floor = _TOP + rows * _ROW
    grid = (svg.line(scale(v), _TOP, scale(v), floor, class_="grid") for v in values)
    labels = (svg.text(unit(v), scale(v), floor + _AXIS / 2, class_="tick", anchor="middle") for v in values)
    return "".join((*grid, *labels))


def _scale(top: float, *, left: float = _LEFT) -> Scale:
    room = WIDTH - left - _RIGHT
    return lambda value: left + room * value / top


def _legend(outcomes: set[str]) -> tuple[tuple[str, str], ...]:
    return tuple((class_, outcome) for outcome, class_ in CLASS_OF.items() if outcome in outcomes)


def _picture(parts: Sequence[str], legend: tuple[tuple[str, str], ...], *, rows: float, title: str) -> Picture:
    return Picture(svg.drawing(*parts, width=WIDTH, height=_TOP + rows * _ROW + _AXIS, title=title), legend)
