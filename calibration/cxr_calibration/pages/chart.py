"""Small charts as SVG, for pages that need no library and no network."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cxr_runtime.language import written
from cxr_runtime.reports.templates import templates

WIDTH, HEIGHT = 460, 320  # of a chart, in CSS pixels
LEFT, RIGHT, TOP, BOTTOM = 54, 14, 34, 44  # room around the axes; the key is above them
LETTER = 6.2  # width of a letter of the key, on average
TICKS = 5  # intervals of each axis

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Mark:
    """One element of the drawing."""

    tag: str  # of SVG
    attributes: dict[str, str]
    text: str = ""  # inside it


class Chart:
    """Two axes, and whatever is drawn between them; `svg` gives the text.

    Args:
        title: what the chart shows, read out by screen readers.
        x_label: of the horizontal axis.
        y_label: of the vertical axis.
        x_range: its ends.
        y_range: its ends.
        x_ticks: what is marked on the horizontal axis; none: `TICKS` equal parts.
    """

    def __init__(
        self,
        title: str,
        x_label: str,
        y_label: str,
        x_range: tuple[float, float] = (0.0, 1.0),
        y_range: tuple[float, float] = (0.0, 1.0),
        x_ticks: Sequence[float] = (),
    ) -> None:
        self._title = title
        self._x_range, self._y_range = x_range, y_range
        self._marks: list[Mark] = []
        self._x_axis(x_label, x_ticks or _parts(*x_range))
        self._y_axis(y_label)
        self._key_end = float(LEFT)

    def line(self, points: Points, style: str, name: str = "") -> None:
        """Join points; `style` is a class of the page, `name` goes to the key."""
        self._draw("polyline", f"line {style}", points=self._path(points))
        self._key(style, name)

    def band(self, points: Sequence[tuple[float, float, float]], style: str, name: str = "") -> None:
        """Fill between (x, low, high)."""
        around = [(x, low) for x, low, _ in points] + [(x, high) for x, _, high in reversed(points)]
        self._draw("polygon", f"band {style}", points=self._path(around))
        self._key(style, name)

    def bars(self, bars: Sequence[tuple[float, float, float]], style: str, name: str = "") -> None:
        """Draw (left, right, height) bars from 0."""
        for left, right, height in bars:
            x, y = self._x(left), self._y(height)
            self._draw("rect", f"bar {style}", x=x, y=y, width=self._x(right) - x, height=self._y(0) - y)
        self._key(style, name)

    def points(self, points: Points, style: str, name: str = "") -> None:
        """Draw dots."""
        for x, y in points:
            self._draw("circle", f"dot {style}", cx=self._x(x), cy=self._y(y), r=4)
        self._key(style, name)

    def whiskers(self, points: Sequence[tuple[float, float, float]], style: str) -> None:
        """Draw intervals (x, low, high)."""
        for x, low, high in points:
            across = self._x(x)
            self._draw("line", f"line {style}", x1=across, x2=across, y1=self._y(low), y2=self._y(high))

    def upright(self, x: float, name: str) -> None:
        """Draw a vertical line with its name beside it."""
        across, foot = self._x(x), HEIGHT - BOTTOM
        self._draw("line", "upright", x1=across, x2=across, y1=TOP, y2=foot)
        self._text(across - 3, foot - 4, name, "small", turned=True)

    def svg(self) -> Markup:
        """The chart as an element of a page."""
        drawing = templates(__package__).get_template("chart.svg")
        return Markup(drawing.render(title=self._title, marks=self._marks, width=WIDTH, height=HEIGHT))

    def _x(self, value: float) -> float:
        low, high = self._x_range
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / (high - low)

    def _y(self, value: float) -> float:
        low, high = self._y_range
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)

    def _path(self, points: Points) -> str:
        return " ".join(f"{self._x(x):.1f},{self._y(y):.1f}" for x, y in points)

    def _draw(self, tag: str, style: str, text: str = "", **attributes: float | str) -> None:
        """Numbers are pixels, and need no more than a tenth of one."""
        shown = {name: at if isinstance(at, str) else f"{at:.1f}" for name, at in attributes.items()}
        self._marks.append(Mark(tag, {"class": style} | shown, text))

    def _x_axis(self, label: str, ticks: Sequence[float]) -> None:
        for x in ticks:
            self._text(self._x(x), HEIGHT - BOTTOM + 16, _short(x), "tick middle")
        self._text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, label, "middle")

    def _y_axis(self, label: str) -> None:
        for y in _parts(*self._y_range):
            self._draw("line", "grid", x1=LEFT, x2=WIDTH - RIGHT, y1=self._y(y), y2=self._y(y))
            self._text(LEFT - 6, self._y(y) + 4, _short(y), "tick end")
        self._text(14, (TOP + HEIGHT - BOTTOM) / 2, label, "middle", turned=True)

    def _text(self, x: float, y: float, text: str, style: str, *, turned: bool = False) -> None:
        turn = {"transform": f"rotate(-90 {x:.1f} {y:.1f})"} if turned else {}
        self._draw("text", style, text, x=x, y=y, **turn)

    def _key(self, style: str, name: str) -> None:
        if name:
            self._draw("rect", f"swatch {style}", x=self._key_end, y=12, width=12, height=8)
            self._text(self._key_end + 17, 20, name, "small")
            self._key_end += 32 + LETTER * len(name)


def _parts(low: float, high: float) -> list[float]:
    """The ends of `TICKS` equal parts."""
    return [low + (high - low) * tick / TICKS for tick in range(TICKS + 1)]


def _short(value: float) -> str:
    return written(f"{value:.3g}")
