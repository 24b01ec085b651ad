"""One small chart a measure: weeks from left to right, a line an arm."""

from collections.abc import Mapping, Sequence

from console import svg
from demo.charts import Picture
from demo.simulation.figures import Week
from demo.simulation.measures import Measure
from demo.simulation.report import WITH_LEARNING, WITHOUT_LEARNING

CLASS_OF = {WITH_LEARNING: "c1", WITHOUT_LEARNING: "c3"}
_WIDTH, _HEIGHT = 360.0, 150.0
_LEFT, _RIGHT, _TOP, _FLOOR = 52.0, 14.0, 10.0, 122.0
_SHARES = 0.2  # under this top, a scale is for shares and is made in hundredths

Points = list[tuple[float, float, str]]


def chart(measure: Measure, weeks: Mapping[str, Sequence[Week]]) -> Picture:
    """The measure over the weeks of every arm."""
    values = [float(v) for of_arm in weeks.values() for w in of_arm if (v := measure.read(w)) is not None]
    steps = _steps(max(values, default=1.0))
    count = max((len(of_arm) for of_arm in weeks.values()), default=1)
    parts = _grid(measure, steps) + _labels(count)
    for arm, of_arm in weeks.items():
        parts += _line(_points(measure, of_arm, steps[-1], count), CLASS_OF[arm], arm)
    legend = tuple((CLASS_OF[arm], arm) for arm in weeks)
    return Picture(svg.drawing(*parts, width=_WIDTH, height=_HEIGHT, title=measure.name), legend)


def _steps(top: float) -> list[float]:
    """Round numbers up to ``top``; for shares in hundredths."""
    if top <= 1:
        scale = 1_000 if top < _SHARES else 100
        return [step / scale for step in svg.ticks(top * scale)]
    return svg.ticks(top)


def _grid(measure: Measure, steps: Sequence[float]) -> list[str]:
    parts = []
    for step in steps:
        y = _y(step, steps[-1])
        parts += [svg.line(_LEFT, y, _WIDTH - _RIGHT, y, class_="grid")]
        parts += [svg.text(measure.written(step), _LEFT - 6, y, class_="tick", anchor="end")]
    return parts


def _labels(count: int) -> list[str]:
    return [svg.text(str(n + 1), _x(n, count), _FLOOR + 14, class_="tick", anchor="middle") for n in range(count)]


def _points(measure: Measure, weeks: Sequence[Week], top: float, count: int) -> Points:
    found = ((n, week, measure.read(week)) for n, week in enumerate(weeks))
    return [
        (_x(n, count), _y(float(v), top), f"{week.label}: {measure.written(float(v))}") for n, week, v in found if v is not None
    ]


def _line(points: Points, class_: str, arm: str) -> list[str]:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    drawn = svg.element("polyline", points=path, fill="none", stroke="currentColor", stroke_width=2, class_=f"{class_} series")
    return [drawn, *(svg.dot(x, y, 3.5, class_=class_, tip=f"{arm}, {tip}") for x, y, tip in points)]


def _x(place: int, count: int) -> float:
    room = _WIDTH - _LEFT - _RIGHT - 20
    return _LEFT + 10 + (room * place / (count - 1) if count > 1 else room / 2)


def _y(value: float, top: float) -> float:
    return _FLOOR - (_FLOOR - _TOP) * (value / top if top else 0)
