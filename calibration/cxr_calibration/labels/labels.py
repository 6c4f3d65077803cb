"""The labels file: a CSV of films with what readers, laboratories or later films say of them."""

import csv
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from cxr_calibration.labels.facts import NOT_STATED, age_group
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
    return tuple(label_of(path, line, row) for line, row in read_rows(path))


def read_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of a labels file by the line they end on, each cell under its column's name in lower case.

    Raises:
        UsageError: the file cannot be read, a column is missing, or there is no row.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"labels file {path} cannot be read ({error}); expected a CSV file in UTF-8 with the columns "
            "file and label"
        ) from error
    header = lines[0] if lines else ""
    cells = csv.reader(lines, delimiter=";" if header.count(";") > header.count(",") else ",")
    columns = [name.strip().lower() for name in next(cells, [])]
    if "label" not in columns or not {"file", "sha256"} & set(columns):
        raise UsageError(
            f"labels file {path} has the columns {', '.join(columns) or '(none)'}; expected file and label"
        )
    rows = [
        (cells.line_num, dict(zip(columns, (cell.strip() for cell in row), strict=False)))
        for row in cells
        if any(cell.strip() for cell in row)
    ]
    if not rows:
        raise UsageError(f"labels file {path} has no rows; expected a film and its label in each")
    return rows


def label_of(path: Path, line: int, row: dict[str, str]) -> Label:
    """One row as a label; errors as `read_labels`."""
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
