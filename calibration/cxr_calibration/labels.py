"""The labels file: a CSV of films with what readers, laboratories or later films say of them."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from cxr_calibration.labelled import NOT_STATED
from cxr_calibration.subgroups import age_group
from cxr_runtime.errors import UsageError

TRUTH = {"0": False, "1": True}
VARIABLES = ("view", "sex", "age group", "site")


@dataclass(frozen=True)
class Label:
    """One row of the labels file."""

    line: int  # in the file, for messages
    file: str  # as written there
    path: Path  # where the film would be: relative paths are from the labels file's folder
    sha256: str  # of the film's bytes, if the row states it, else ""
    abnormal: bool
    patient: str  # "" if not stated: then the film counts as a patient of its own
    subgroups: tuple[str, ...]  # one for each of VARIABLES, NOT_STATED where not stated

    def digest(self) -> str:
        """The sha256 as stated or, if it is not, of the film itself; "" if there is no such film."""
        if self.sha256 or not self.path.is_file():
            return self.sha256
        with self.path.open("rb") as film:
            return file_digest(film, "sha256").hexdigest()


def read_labels(path: Path) -> tuple[Label, ...]:
    """Read a labels file: columns file (or sha256) and label, optional patient, view, sex, age, site.

    The header may be in any case and order, other columns are passed over; commas or semicolons; UTF-8.

    Raises:
        UsageError: the file cannot be read, a column is missing, or a row has no film or no label of 0 or 1.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"labels file {path} cannot be read ({error}); expected a CSV file in UTF-8 with the columns "
            "file and label"
        ) from error
    labels = tuple(_labels(path, text.splitlines()))
    if not labels:
        raise UsageError(f"labels file {path} has no rows; expected a film and its label in each")
    return labels


def _labels(path: Path, lines: list[str]) -> Iterator[Label]:
    header = lines[0] if lines else ""
    delimiter = ";" if header.count(";") > header.count(",") else ","
    rows = csv.reader(lines, delimiter=delimiter)
    columns = [name.strip().lower() for name in next(rows, [])]
    if "label" not in columns or not {"file", "sha256"} & set(columns):
        raise UsageError(
            f"labels file {path} has the columns {', '.join(columns) or '(none)'}; expected file and label"
        )
    for cells in rows:
        if any(cell.strip() for cell in cells):
            row = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
            yield _label(path, rows.line_num, row)


def _label(path: Path, line: int, row: dict[str, str]) -> Label:
    where = f"labels file {path}, line {line}"
    file, stated, digest = row.get("file", ""), row.get("label", ""), row.get("sha256", "").lower()
    if not file and not digest:
        raise UsageError(f"{where} names no film; expected its path in the column file")
    if stated not in TRUTH:
        raise UsageError(f"{where} has the label {stated!r}; expected 0 (normal) or 1 (abnormal)")
    subgroups = (
        row.get("view", "").upper(),
        row.get("sex", "").upper(),
        _age_group(where, row),
        row.get("site", ""),
    )
    return Label(
        line=line,
        file=file or digest,
        path=path.parent / (file or digest),
        sha256=digest,
        abnormal=TRUTH[stated],
        patient=row.get("patient", ""),
        subgroups=subgroups,
    )


def _age_group(where: str, row: dict[str, str]) -> str:
    """Years, as a number or in DICOM's way (034Y; PS3.5 6.2, Age String)."""
    stated = row.get("age", "").upper()
    if not stated:
        return NOT_STATED
    number, unit = (stated[:-1], stated[-1]) if stated[-1] in "YMWD" else (stated, "Y")
    try:
        return age_group(float(number) / {"Y": 1, "M": 12, "W": 52, "D": 365}[unit])
    except ValueError as error:
        raise UsageError(f"{where} has the age {stated!r}; expected years, e.g. 34") from error
