"""Small charts as SVG text, for pages that need no library and no network."""

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 460, 320  # of a chart, in CSS pixels
LEFT, RIGHT, TOP, BOTTOM = 54, 14, 34, 44  # room around the axes; the key is above them
LETTER = 6.2  # width of a letter of the key, on average
TICKS = 5  # intervals of each axis

Points = Sequence[tuple[float, float]]


class Chart:
    """Two axes, and whatever is drawn between them; `svg` gives the text.

    Args:
        title: what the chart shows, read out by screen readers.
        x_label: of the horizontal axis.
        y_label: of the vertical axis.
        x_range: its ends.
        y_range: its ends.
    """

    def __init__(
        self,
        title: str,
        x_label: str,
        y_label: str,
        x_range: tuple[float, float] = (0.0, 1.0),
        y_range: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        self._x_range, self._y_range = x_range, y_range
        self._parts = [
            f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
            f"<title>{escape(title)}</title>",
        ]
        self._axes(x_label, y_label)
        self._key_end = float(LEFT)

    def line(self, points: Points, style: str, name: str = "") -> None:
        """Join points; `style` is a class of the page, `name` goes to the key."""
        path = " ".join(f"{self._x(x):.1f},{self._y(y):.1f}" for x, y in points)
        self._parts.append(f'<polyline class="line {style}" points="{path}"/>')
        self._key(style, name)

    def band(self, points: Sequence[tuple[float, float, float]], style: str, name: str = "") -> None:
        """Fill between (x, low, high)."""
        around = [(x, low) for x, low, _ in points] + [(x, high) for x, _, high in reversed(points)]
        path = " ".join(f"{self._x(x):.1f},{self._y(y):.1f}" for x, y in around)
        self._parts.append(f'<polygon class="band {style}" points="{path}"/>')
        self._key(style, name)

    def bars(self, bars: Sequence[tuple[float, float, float]], style: str, name: str = "") -> None:
        """Draw (left, right, height) bars from 0."""
        for left, right, height in bars:
            x, y = self._x(left), self._y(height)
            size = f'width="{self._x(right) - x:.1f}" height="{self._y(0) - y:.1f}"'
            self._parts.append(f'<rect class="bar {style}" x="{x:.1f}" y="{y:.1f}" {size}/>')
        self._key(style, name)

    def points(self, points: Points, style: str, name: str = "") -> None:
        """Draw dots."""
        for x, y in points:
            self._parts.append(
                f'<circle class="dot {style}" cx="{self._x(x):.1f}" cy="{self._y(y):.1f}" r="4"/>'
            )
        self._key(style, name)

    def whiskers(self, points: Sequence[tuple[float, float, float]], style: str) -> None:
        """Draw intervals (x, low, high)."""
        for x, low, high in points:
            across, along = f"{self._x(x):.1f}", f'y1="{self._y(low):.1f}" y2="{self._y(high):.1f}"'
            self._parts.append(f'<line class="line {style}" x1="{across}" x2="{across}" {along}/>')

    def upright(self, x: float, name: str) -> None:
        """Draw a vertical line with its name beside it."""
        at, foot = f"{self._x(x):.1f}", HEIGHT - BOTTOM
        self._parts.append(f'<line class="upright" x1="{at}" x2="{at}" y1="{TOP}" y2="{foot}"/>')
        self._text(self._x(x) - 3, foot - 4, name, "small", turned=True)

    def svg(self) -> str:
        """The chart as an element of a page."""
        return "\n".join([*self._parts, "</svg>"])

    def _x(self, value: float) -> float:
        low, high = self._x_range
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / (high - low)

    def _y(self, value: float) -> float:
        low, high = self._y_range
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)

    def _axes(self, x_label: str, y_label: str) -> None:
        for tick in range(TICKS + 1):
            x = self._x_range[0] + (self._x_range[1] - self._x_range[0]) * tick / TICKS
            y = self._y_range[0] + (self._y_range[1] - self._y_range[0]) * tick / TICKS
            across = f'x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{self._y(y):.1f}" y2="{self._y(y):.1f}"'
            self._parts.append(f'<line class="grid" {across}/>')
            self._text(LEFT - 6, self._y(y) + 4, _short(y), "tick end")
            self._text(self._x(x), HEIGHT - BOTTOM + 16, _short(x), "tick middle")
        self._text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_label, "middle")
        self._text(14, (TOP + HEIGHT - BOTTOM) / 2, y_label, "middle", turned=True)

    def _text(self, x: float, y: float, text: str, style: str, *, turned: bool = False) -> None:
        turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
        self._parts.append(f'<text class="{style}" x="{x:.1f}" y="{y:.1f}"{turn}>{escape(text)}</text>')

    def _key(self, style: str, name: str) -> None:
        if name:
            place = f'x="{self._key_end:.1f}" y="12" width="12" height="8"'
            self._parts.append(f'<rect class="swatch {style}" {place}/>')
            self._text(self._key_end + 17, 20, name, "small")
            self._key_end += 32 + LETTER * len(name)


def _short(value: float) -> str:
    return f"{value:.3g}"
