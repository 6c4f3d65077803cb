"""The labels file: a CSV of films with what readers, laboratories or later films say of them."""

from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from cxr_calibration.labels.facts import age_group, age_of, sex_of, stated_abnormal_of, view_of, weight_of
from cxr_calibration.labels.film_csv import CsvRow, read_rows
from cxr_runtime.errors import UsageError
from cxr_runtime.film import View

COLUMNS = ("file|sha256", "label")
VARIABLES = ("view", "sex", "age group", "site")


@dataclass(frozen=True)
class Label:
    """One row of the labels file."""

    line: int  # in the file, for messages
    file: str  # as written there
    path: Path  # where the film would be: relative paths are from the labels file's folder
    sha256: str  # of the film's bytes, if the row states it, else ""
    abnormal: bool
    patient: str = ""  # "" if not stated: then the film counts as a patient of its own
    view: View = View.UNKNOWN
    sex: str = ""  # F, M or O
    age: float | None = None  # years
    site: str = ""
    weight: float = 1.0  # how many films it stands for, where films were chosen by their scores

    @property
    def subgroups(self) -> tuple[str, ...]:
        """The film's level of each of VARIABLES, NOT_STATED where it is not stated."""
        return self.view.value, self.sex, age_group(self.age), self.site

    def digest(self) -> str:
        """The sha256 as stated or, if it is not, of the film itself; "" if there is no such film."""
        if self.sha256 or not self.path.is_file():
            return self.sha256
        with self.path.open("rb") as film:
            return file_digest(film, "sha256").hexdigest()


def read_labels(path: Path) -> tuple[Label, ...]:
    """Read a labels file: columns file (or sha256) and label, optional patient, view, sex, age, site, weight.

    Raises:
        UsageError: the file cannot be read, a column is missing, there is no row, or a row has no film, no
            label, or a fact that cannot be understood.
    """
    return tuple(label_of(row) for row in read_label_rows(path))


def read_label_rows(path: Path) -> list[CsvRow]:
    """The rows of a labels file, at least one; errors as `read_labels`."""
    rows = read_rows(path, COLUMNS)
    if not rows:
        raise UsageError(f"labels file {path} has no rows; expected a film and its label in each")
    return rows


def label_of(row: CsvRow) -> Label:
    """One row as a label; errors as `read_labels`."""
    sha256 = row["sha256"].lower()
    file = row["file"] or sha256
    if not file:
        raise row.wrong("file", "expected the path of a film")
    return Label(
        line=row.line,
        file=file,
        path=row.path.parent / file,
        sha256=sha256,
        abnormal=row.fact("label", stated_abnormal_of),
        patient=row["patient"],
        view=row.fact("view", view_of),
        sex=row.fact("sex", sex_of),
        age=row.fact("age", age_of),
        site=row["site"],
        weight=row.fact("weight", weight_of),
    )
