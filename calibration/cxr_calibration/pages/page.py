"""What the pages are filled with: tables, and charts with their captions; nothing is fetched to show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from markupsafe import Markup

from cxr_calibration.pages.chart import Chart
from cxr_runtime.reports.stored_sentences import translated
from cxr_runtime.reports.templates import templates


@dataclass(frozen=True)
class Table:
    """A table of text."""

    header: Sequence[str]  # one a column
    rows: Sequence[Sequence[str]]  # as many cells as the header has
    caption: str = ""  # above it
    words: tuple[int, ...] = ()  # numbers of the columns that hold sentences


@dataclass(frozen=True)
class Figure:
    """A chart with its caption."""

    chart: Chart
    caption: str


def filled(template: str, **values: object) -> str:
    """A whole HTML document in the language of this moment; `template` is one of this package."""
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return (
        templates(__package__)
        .get_template(template)
        .render(style=Markup(style), translated=translated, **values)
    )
