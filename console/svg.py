"""SVG as text: elements with every attribute and text escaped. Colours and fonts are CSS classes of the page."""

import math
from collections.abc import Sequence
from html import escape

GUTTER = 8.0


def element(name: str, *children: str, **attributes: object) -> str:
    """``<name attribute="...">children</name>``; a trailing underscore of an attribute is dropped, inner ones are hyphens."""
    pairs = (f' {key.rstrip("_").replace("_", "-")}="{escape(_number(value), quote=True)}"' for key, value in attributes.items())
    return f"<{name}{''.join(pairs)}>{''.join(children)}</{name}>"


def text(words: str, x: float, y: float, *, class_: str = "label", anchor: str = "start") -> str:
    return element("text", escape(words), x=x, y=y, class_=class_, text_anchor=anchor, dominant_baseline="central")


def line(x1: float, y1: float, x2: float, y2: float, *, class_: str) -> str:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def bar(x: float, y: float, width: float, height: float, *, class_: str, tip: str) -> str:
    return element("rect", element("title", escape(tip)), x=x, y=y, width=max(width, 0), height=height, rx=2, class_=class_)


def dot(x: float, y: float, radius: float, *, class_: str, tip: str) -> str:
    return element("circle", element("title", escape(tip)), cx=x, cy=y, r=radius, class_=class_)


def drawing(*parts: str, width: float, height: float, title: str) -> str:
    """The whole picture: scales with the page, and is read out by its title."""
    box = f"0 0 {_number(width)} {_number(height)}"
    return element("svg", element("title", escape(title)), *parts, viewBox=box, role="img", class_="chart")


def sparkline(*parts: str, width: float, height: float, title: str) -> str:
    """A picture that fills its place whatever its shape."""
    box = f"0 0 {_number(width)} {_number(height)}"
    return element(
        "svg", element("title", escape(title)), *parts, viewBox=box, preserveAspectRatio="none", role="img", class_="spark"
    )


def path(points: Sequence[tuple[float, float]], *, class_: str, closed: bool = False) -> str:
    """A line through the points, or the area that they enclose."""
    steps = " ".join(f"{'L' if n else 'M'}{_number(float(x))} {_number(float(y))}" for n, (x, y) in enumerate(points))
    return element("path", d=f"{steps} Z" if closed and steps else steps, class_=class_)


def ticks(top: float, wanted: int = 4, *, whole: bool = True) -> list[float]:
    """Round numbers from 0 to ``top`` or a little beyond, about ``wanted`` steps; ``whole`` ones only, unless told otherwise."""
    if top <= 0:
        return [0.0, 1.0]
    rough = max(top / wanted, 1.0 if whole else 0.0)
    exponent = math.floor(math.log10(rough))
    step = next(m * 10.0**exponent for m in (1, 2, 5, 10) if m * 10.0**exponent >= rough * (1 - 1e-9))
    count = math.ceil(top / step - 1e-9)
    return [round(step * n, max(-exponent, 0)) for n in range(count + 1)]


def _number(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
