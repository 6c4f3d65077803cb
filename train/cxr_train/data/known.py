"""What a run knows: films it learned from or was chosen by, itself or through the runs it builds on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256
from pathlib import Path

from cxr_calibration.labels.film_csv import CsvRow, csv_bytes, read_rows
from cxr_train.data.film import TrainingFilm
from cxr_train.data.split import SPLIT_FILE

EARLIER_FILE = "earlier.csv"  # in a run folder, where the run builds on others


@dataclass(frozen=True)
class Known:
    """Films by their patients, and by their bytes: a copy under another patient's name is the same film."""

    patients: frozenset[str] = frozenset()
    sha256s: frozenset[str] = frozenset()  # of the films' files

    def knows(self, film: TrainingFilm, sha256: str) -> bool:
        """Whether a film, or another of its patient, is known."""
        return film.patient in self.patients or sha256 in self.sha256s

    def __or__(self, other: "Known") -> "Known":
        """What either knows."""
        return Known(self.patients | other.patients, self.sha256s | other.sha256s)

    def __and__(self, other: "Known") -> "Known":
        """What both know."""
        return Known(self.patients & other.patients, self.sha256s & other.sha256s)


def known_films(run: Path) -> Known:
    """What a run knows.

    Raises:
        UsageError: its split cannot be read.
    """
    rows = [row for row in read_rows(run / SPLIT_FILE, ("patient", "side")) if row["side"] != "test"]
    earlier = run / EARLIER_FILE
    return _known(rows + (read_rows(earlier, ("patient",)) if earlier.is_file() else []))


def known_to_every_fold(folds: Iterable[Known]) -> Known:
    """What no fold of a cross-validation can be asked about."""
    return reduce(Known.__and__, folds)


def unknown_rows(films: Sequence[TrainingFilm], known: Sequence[Known]) -> list[int]:
    """Row numbers of the films that none knows; only files of patients whom none knows are read."""
    together = reduce(Known.__or__, known, Known())
    return [
        row
        for row, film in enumerate(films)
        if film.patient not in together.patients and digest_of(film.path) not in together.sha256s
    ]


def earlier_csv(known: Known) -> bytes:
    """The content of earlier.csv: what the runs that a run builds on know."""
    patients = [(patient, "") for patient in sorted(known.patients)]
    return csv_bytes([("patient", "sha256"), *patients, *(("", digest) for digest in sorted(known.sha256s))])


def digest_of(path: Path) -> str:
    """The sha256 of a film's file."""
    return sha256(path.read_bytes()).hexdigest()


def _known(rows: Sequence[CsvRow]) -> Known:
    patients, sha256s = ({row[name] for row in rows} - {""} for name in ("patient", "sha256"))
    return Known(frozenset(patients), frozenset(sha256s))
