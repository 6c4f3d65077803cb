"""results.csv: one row a film, for spreadsheets and programs alike."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from cxr_runtime.access import PRIVATE, Access
from cxr_runtime.atomic import replacing
from cxr_runtime.names import printable
from cxr_runtime.outcome import Outcome

COLUMNS = (
    "file", "sha256", "status", "code", "message", "score", "probability", "triage", "threshold",
    "operating_point", "view", "lung_heat_share", "model", "model_sha256", "backend", "seconds",
    "foreign",
)  # fmt: skip
DECIMALS = {"score": 2, "probability": 6, "threshold": 6, "lung_heat_share": 3, "seconds": 3}

# A spreadsheet runs a cell that begins so as a formula (OWASP, CSV injection); tab and CR never get here.
_FORMULA_STARTS = ("=", "+", "-", "@")


def write_results(
    path: Path, outcomes: Iterable[Outcome], access: Access = PRIVATE, foreign: str = ""
) -> None:
    """Write results.csv (RFC 4180, UTF-8 without byte order mark, lines end with a line feed, texts quoted).

    Args:
        path: replaced when all rows are there; until then it is as it was.
        outcomes: in the order of the rows; read once.
        access: who may read it.
        foreign: what is said where the films are unlike those of the calibration; the same on every row.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    with replacing(path, access) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        _write(text, outcomes, foreign)
        text.detach()


def results_text(outcomes: Iterable[Outcome]) -> str:
    """The same as a text; `foreign` is empty, for it is said of whole runs."""
    text = io.StringIO(newline="")
    _write(text, outcomes, "")
    return text.getvalue()


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Any table in the same way; the first row is its header."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    for number, row in enumerate(rows):
        if number:
            writer.writerow([_shown(value) if isinstance(value, str) else value for value in row])
        else:
            text.write(",".join(map(str, row)) + "\n")
    return text.getvalue()


def _write(text: TextIO, outcomes: Iterable[Outcome], foreign: str) -> None:
    text.write(",".join(COLUMNS) + "\n")
    rows = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    rows.writerows([*(_cell(outcome, column) for column in COLUMNS[:-1]), foreign] for outcome in outcomes)


class _Figure(float):
    """A number with the decimals of its column, which is not quoted."""

    text: str

    def __str__(self) -> str:
        return self.text


def _cell(outcome: Outcome, column: str) -> str | _Figure:
    """A figure, "" where it is not known, or a text, which is quoted whatever it holds."""
    value = getattr(outcome, column)
    if value is None:
        return ""
    if column in DECIMALS:
        figure = _Figure(value)
        figure.text = f"{value:.{DECIMALS[column]}f}"
        return figure
    return _shown(printable(str(value)))


def _shown(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
