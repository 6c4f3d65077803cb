"""CSV files about films, from spreadsheets of any country: read in one way, and written in one."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cxr_runtime.errors import UsageError

T = TypeVar("T")

DELIMITERS = ",;\t"  # of several that a header holds, the most frequent one counts
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")  # Excel's "Unicode text"


@dataclass(frozen=True)
class CsvRow:
    """One row, which knows where it stands; `row["label"]` is a cell's text, "" where there is none."""

    path: Path  # of the file
    line: int  # on which it ends, from 1
    cells: dict[str, str]  # by the column's name in lower case, without blanks at their ends

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column.lower(), "")

    def fact(self, column: str, read: Callable[[str], T]) -> T:
        """A cell, understood.

        Args:
            column: its name.
            read: raises a ValueError that says what it expected.

        Raises:
            UsageError: names the file, line and column, what was found and what was expected.
        """
        try:
            return read(self[column])
        except ValueError as error:
            raise self.wrong(column, str(error)) from error

    def wrong(self, column: str, expected: str) -> UsageError:
        """The error of a cell that cannot be used; `expected` says what was expected."""
        found = repr(self[column]) if self[column] else "nothing"
        return UsageError(f"{self.path}, line {self.line}, column {column}: found {found}, {expected}")


def read_rows(path: Path, needed: Sequence[str]) -> list[CsvRow]:
    """Every row of a CSV that is not blank.

    Commas, semicolons or tabs; UTF-8, UTF-16 or Windows-1252; the header in any case and order. Columns that
    are not needed may be there or not.

    Args:
        path: the file.
        needed: names of columns; `file|sha256` is one or the other.

    Raises:
        UsageError: the file cannot be read, a column is missing, or a row has more cells than the header.
    """
    columns, cells = _split(path)
    there = {column.lower() for column in columns}
    missing = [name for name in needed if there.isdisjoint(name.lower().split("|"))]
    if missing:
        named, *expected = (name.replace("|", " or ") for name in (missing[0], *needed))
        found = ", ".join(columns) or "no header"
        raise UsageError(f"{path} has no column {named}; found {found}, expected {', '.join(expected)}")
    return [_row(path, line, columns, row) for line, row in cells]


def columns_of(path: Path) -> set[str]:
    """The names of a CSV's columns, as they are written.

    Raises:
        UsageError: the file cannot be read.
    """
    return set(_split(path)[0]) - {""}


def csv_bytes(rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV as this program writes it: commas, UTF-8, a line feed after each row; the header is the first."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _split(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and the line and cells of every row below it."""
    text = _text(path)
    header = text.lstrip().partition("\n")[0]
    delimiter = max(DELIMITERS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        where = f"{path}, line {reader.line_num}"
        raise UsageError(f"{where} cannot be read ({error}); expected a CSV") from error
    rows = [(line, row) for line, row in rows if any(row)]
    return (rows[0][1], rows[1:]) if rows else ([], [])


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); expected a CSV of films") from error
    encodings = ("utf-16",) if content[:2] in UTF_16_MARKS else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UsageError(f"{path} is not text; expected a CSV in UTF-8, as spreadsheets save it")


def _row(path: Path, line: int, columns: list[str], cells: list[str]) -> CsvRow:
    if any(cells[len(columns) :]):
        raise UsageError(
            f"{path}, line {line} has {len(cells)} cells, the header has {len(columns)}; put quotes around a "
            "cell that holds a comma"
        )
    return CsvRow(path, line, dict(zip((name.lower() for name in columns), cells, strict=False)))
