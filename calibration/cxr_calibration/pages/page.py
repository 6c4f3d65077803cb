"""A self-contained page: headings, sentences, tables and charts; nothing is fetched to show it."""

from collections.abc import Sequence
from html import escape
from importlib.resources import files


def page(title: str, parts: Sequence[str]) -> str:
    """A whole HTML document.

    Args:
        title: of the document and its first heading.
        parts: elements as the functions below give them.
    """
    style = files("cxr_calibration.pages").joinpath("page.css").read_text(encoding="utf-8")
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>\n{style}</style></head>\n<body>",
            f"<h1>{escape(title)}</h1>",
            *parts,
            "</body></html>\n",
        ]
    )


def heading(text: str) -> str:
    """A heading of a section."""
    return f"<h2>{escape(text)}</h2>"


def sentence(text: str, style: str = "") -> str:
    """A paragraph; `style` is a class of the page: quiet, good or alarm."""
    return f'<p class="{style}">{escape(text)}</p>' if style else f"<p>{escape(text)}</p>"


def figures(charts: Sequence[tuple[str, str]]) -> str:
    """Charts side by side, each with its caption: (svg, caption)."""
    shown = (f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>" for svg, caption in charts)
    return '<div class="figures">' + "\n".join(shown) + "</div>"


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "", words: Sequence[int] = ()
) -> str:
    """A table of text.

    Args:
        header: one a column.
        rows: as many cells as the header has.
        caption: above it.
        words: numbers of the columns that hold sentences.
    """
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "\n".join(
        "<tr>" + "".join(_cell(text, number in words) for number, text in enumerate(row)) + "</tr>"
        for row in rows
    )
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    inside = f"{above}<thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody>"
    return f'<div class="wide"><table>{inside}</table></div>'


def _cell(text: str, is_words: bool) -> str:
    return f'<td class="words">{escape(text)}</td>' if is_words else f"<td>{escape(text)}</td>"
