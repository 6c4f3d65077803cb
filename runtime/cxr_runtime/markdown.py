"""Tables in markdown, for the documents and cards that commands write."""

from collections.abc import Sequence

_RULES = {"l": "---", "r": "---:", "c": ":---:"}


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str = "") -> str:
    """A table in GitHub's markdown.

    Args:
        head: headings, one a column.
        rows: cells, one a column. A `|` within a cell is escaped, a line break becomes a space.
        align: one letter a column: `l`, `r` or `c`; if empty, nothing is said of alignment.

    Returns:
        Lines without a line break at the end.

    Raises:
        ValueError: a row, or `align`, has another number of columns than the head.
    """
    rule = [_RULES[letter] for letter in align or "l" * len(head)]
    lines = [map(_cell, head), rule, *(map(_cell, row) for row in rows)]
    if any(len(line) != len(head) for line in (rule, *rows)):
        raise ValueError(f"the table has {len(head)} headings; each row, and align, must have as many")
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
