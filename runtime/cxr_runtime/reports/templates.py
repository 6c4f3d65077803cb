"""Where HTML is filled in: every value is escaped, and a name that a template misses stops the page."""

from base64 import b64encode
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cxr_runtime.language import _, number, plural, spoken
from cxr_runtime.names import printable
from cxr_runtime.placement import Outline


@cache
def templates(package: str) -> Environment:
    """The templates that lie in a package, named by their path in it, e.g. `worklist/page.html`.

    A value from outside is shown as one line of valid Unicode (`names.printable`) and escaped; only `Markup`
    stands as it is. Filters: `score`, `base64` and `points`. A sentence is translated by
    `_("...")`, one of a number of things by `plural("{count} film", "{count} films", n)`; `number` writes a
    number as the language does, `spoken()` is the language.
    """
    environment = Environment(
        loader=PackageLoader(package, ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {"_": _, "plural": plural, "number": number, "spoken": spoken}
    environment.filters |= {"score": score, "base64": base64, "points": points}
    return environment


def _shown(value: object) -> object:
    if type(value) is str:  # Markup, which is a str as well, is ours
        return printable(value)
    return value


def score(value: float | None) -> str:
    """A score of 0..100 with two decimals; "" where there is none."""
    return "" if value is None else f"{value:.2f}"


def base64(content: bytes) -> Markup:
    """A file as a data URI in the page takes it (RFC 2397); base64 has no character to escape."""
    return Markup(b64encode(content), "ascii")


def points(outline: Outline, film_hw: tuple[int, int]) -> str:
    """The corners of a polygon in film pixels, as SVG's `points` takes them."""
    rows, columns = film_hw
    return " ".join(f"{x * columns:.1f},{y * rows:.1f}" for x, y in outline)
