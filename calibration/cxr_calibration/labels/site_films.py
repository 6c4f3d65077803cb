"""The films of one hospital for the laboratory: scores and looks of a scan, truth and patients of a table."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.labels.film_csv import read_rows
from cxr_calibration.statistics.checked import Scores
from cxr_runtime.errors import UsageError
from cxr_runtime.model.looks import LOOKS
from cxr_runtime.store.store import read_scores

NORMAL, ABNORMAL, NOT_KNOWN = 0, 1, -1


@dataclass(frozen=True)
class SiteFilms:
    """N scored films."""

    margins: Scores = field(repr=False)  # (N,)
    looks: NDArray[np.float64] = field(repr=False)  # (N, len(LOOKS))
    kinds: NDArray[np.intp] = field(repr=False)  # (N,) NORMAL, ABNORMAL or NOT_KNOWN
    views: NDArray[np.str_] = field(repr=False)  # (N,) PA, AP or ""
    patients: NDArray[np.str_] = field(repr=False)  # (N,)

    def __len__(self) -> int:
        return int(self.margins.size)

    def of(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Self:
        """Some of the films, in that order."""
        return type(self)(*(getattr(self, entry.name)[rows] for entry in fields(self)))

    def has_both_kinds(self, films: int) -> bool:
        """Whether there are so many normal films, and so many abnormal ones."""
        return min(int((self.kinds == kind).sum()) for kind in (NORMAL, ABNORMAL)) >= films

    @classmethod
    def together(cls, sites: Sequence["SiteFilms"]) -> Self:
        """The films of several sites, one after the other."""
        names = [entry.name for entry in fields(cls)]
        return cls(*(np.concatenate([getattr(site, name) for site in sites]) for name in names))


def read_site(scan: Path, table: Path, *, without: frozenset[str] = frozenset()) -> SiteFilms:
    """Read a scan of the films of a table.

    Args:
        scan: output folder of a scan whose INPUT was the folder that the table's paths begin with.
        table: a CSV with the columns file, and label, patient and view where they are known.
        without: patients whose films are left out.

    Raises:
        UsageError: the table cannot be read, or no film of it is in the scan.
        StoreError: the folder holds no scan.
    """
    rows = {row["file"]: row for row in read_rows(table, ("file",))}
    found = [
        (score, rows[score.outcome.file])
        for score in read_scores(scan)
        if score.margin is not None and score.looks and score.outcome.file in rows
    ]
    kept = [(score, row) for score, row in found if row["patient"] not in without or not row["patient"]]
    if not kept:
        raise UsageError(
            f"no film of {table} is in the scan {scan}; scan from the folder of the table, so that the files "
            "have the names that the table gives them"
        )
    kinds = {"0": NORMAL, "1": ABNORMAL}
    return SiteFilms(
        margins=np.array([score.margin for score, _ in kept], np.float64),
        looks=np.array([score.looks for score, _ in kept], np.float64).reshape(-1, len(LOOKS)),
        kinds=np.array([kinds.get(row["label"], NOT_KNOWN) for _, row in kept], np.intp),
        views=np.array([row["view"] for _, row in kept], np.str_),
        patients=np.array([row["patient"] or row["file"] for _, row in kept], np.str_),
    )


def patients_of(tables: Sequence[Path]) -> frozenset[str]:
    """The patients of tables.

    Raises:
        UsageError: a table cannot be read.
    """
    return frozenset(row["patient"] for table in tables for row in read_rows(table, ("patient",)))
