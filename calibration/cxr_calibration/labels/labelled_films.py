"""Films with scores and truth, on which all else is fitted and measured; and how labels find their scores."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.labels.facts import NOT_STATED
from cxr_calibration.labels.labels import VARIABLES, Label
from cxr_calibration.statistics.checked import Scores, Truth
from cxr_calibration.statistics.intervals import Estimate, wilson_by_patient
from cxr_runtime.errors import CalibrationError, UsageError
from cxr_runtime.model.known_films import KnownFilms
from cxr_runtime.store.rows import StoredScore


@dataclass(frozen=True)
class LabelledFilms:
    """N films that the network was not trained on, or whose margins are out-of-fold."""

    margins: Scores = field(repr=False)  # (N,) logit of abnormal minus logit of normal
    truth: Truth = field(repr=False)  # (N,) True is abnormal
    patients: NDArray[np.str_] = field(repr=False)  # (N,) one value a patient
    subgroups: dict[str, NDArray[np.str_]] = field(default_factory=dict, repr=False)
    # (N,) of each name, say view, sex, age group or site; NOT_STATED where it is not known
    # (N,) number of the film of each row, where films are weighted: one that stands for w films has about w
    # rows, all of one patient, so that intervals know better. None: every row is a film of its own.
    sources: NDArray[np.intp] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse lists of different lengths."""
        sizes = {self.margins.shape, self.truth.shape, self.patients.shape}
        sizes |= {levels.shape for levels in self.subgroups.values()}
        sizes |= set() if self.sources is None else {self.sources.shape}
        if sizes != {(self.margins.size,)}:
            raise ValueError(
                f"margins, truth, patients and subgroups have shapes {sizes}; expected one length"
            )

    @property
    def films(self) -> int:
        """Number of films, whatever they stand for."""
        return int(self.first_rows.size)

    @property
    def abnormal(self) -> int:
        """Number of abnormal films."""
        return int(self.truth[self.first_rows].sum())

    @property
    def normal(self) -> int:
        """Number of normal films."""
        return self.films - self.abnormal

    @property
    def first_rows(self) -> NDArray[np.intp]:
        """One row of every film."""
        if self.sources is None:
            return np.arange(self.margins.size)
        return np.asarray(np.unique(self.sources, return_index=True)[1], np.intp)

    @property
    def number_of_patients(self) -> int:
        """Number of different patients."""
        return int(np.unique(self.patients).size)

    @property
    def stands_for(self) -> NDArray[np.intp]:
        """Rows of each film, in the order of `first_rows`."""
        if self.sources is None:
            return np.ones(self.margins.size, np.intp)
        return np.asarray(np.unique(self.sources, return_counts=True)[1], np.intp)

    @property
    def heaviest(self) -> int:
        """The most rows that a film has."""
        return int(self.stands_for.max())

    def share(self, hits: Truth, which: Truth) -> Estimate:
        """Share of the films of `which` (N,) that have a property, worth at most as many as there are."""
        films = int(which[self.first_rows].sum())
        return wilson_by_patient(hits[which], self.patients[which], most=films)

    @property
    def independent_films(self) -> int:
        """As many films as the distribution of these is worth: patients, or fewer by their weights (Kish)."""
        if self.sources is None:
            return self.number_of_patients
        rows = np.unique(self.patients, return_counts=True)[1]
        return max(1, round(float(rows.sum() ** 2 / np.sum(rows**2))))


FILE_MISSING = "file-missing"
NOT_IN_SCAN = "not-in-scan"
LEARNED_FROM = "learned-from"


@dataclass(frozen=True)
class UnscoredFilm:
    """A labelled film that could not be used."""

    file: str  # as in the labels file
    code: str
    sentence: str


@dataclass(frozen=True)
class Gathered:
    """Labelled films with scores, and those without."""

    films: LabelledFilms
    scores: tuple[StoredScore, ...]  # one a film, the same order
    unscored: tuple[UnscoredFilm, ...]
    repeated: int  # rows that named a film a second time

    @property
    def unscored_by_code(self) -> dict[str, int]:
        """How many films were not scored, by code."""
        return dict(sorted(Counter(film.code for film in self.unscored).items()))


def gather(
    labels: Sequence[Label],
    digests: Sequence[str],
    scores: Sequence[StoredScore],
    known: KnownFilms | None = None,
) -> Gathered:
    """Match labels and scores.

    A film is known by its sha256; where a label's film cannot be found, by the name that the scan gave it.

    Args:
        labels: rows of the labels file.
        digests: sha256 of each label's film, "" where there is no such file.
        scores: rows of the scan.
        known: films that the model has learned from, which are left out; None: nobody knows them.

    Raises:
        UsageError: a film has two different labels.
        CalibrationError: no labelled film has a score.
    """
    by_digest = {score.outcome.sha256: score for score in scores if score.outcome.sha256}
    by_name = {score.outcome.file: score for score in scores}
    used: dict[str, tuple[Label, StoredScore]] = {}
    unscored: list[UnscoredFilm] = []
    for label, digest in zip(labels, digests, strict=True):
        score = by_digest.get(digest) if digest else by_name.get(label.file)
        if score is not None and known is not None and known.knows(score.outcome.sha256):
            sentence = "the model has learned from this film, so its score says nothing here"
            unscored.append(UnscoredFilm(label.file, LEARNED_FROM, sentence))
        elif score is None or score.margin is None:
            unscored.append(_unscored(label, digest, score))
        elif label.abnormal == used.setdefault(score.outcome.sha256, (label, score))[0].abnormal:
            continue
        else:
            raise UsageError(
                f"{label.file} (line {label.line}) is labelled {int(label.abnormal)}, but the same film has "
                f"the other label on line {used[score.outcome.sha256][0].line}; give each film one label"
            )
    if not used:
        raise CalibrationError(
            f"none of {len(labels)} labelled films has a score (the first is {unscored[0].file}: "
            f"{unscored[0].sentence}); {_next_step(unscored)}"
        )
    repeated = len(labels) - len(used) - len(unscored)
    return Gathered(
        _films(list(used.values())), tuple(s for _, s in used.values()), tuple(unscored), repeated
    )


def _next_step(unscored: Sequence[UnscoredFilm]) -> str:
    if any(film.code == LEARNED_FROM for film in unscored):
        return "give films that it has not learned from, best those of your own clinic"
    return "correct the paths of the films, or scan these films first"


def _films(used: list[tuple[Label, StoredScore]]) -> LabelledFilms:
    copies = _copies(used)
    columns = {
        name: np.repeat([_level(label, score, number) for label, score in used], copies)
        for number, name in enumerate(VARIABLES)
    }
    is_weighted = any(count != 1 for count in copies)
    return LabelledFilms(
        margins=np.repeat(np.array([score.margin for _, score in used], np.float64), copies),
        truth=np.repeat(np.array([label.abnormal for label, _ in used], np.bool_), copies),
        patients=np.repeat([_patient(label, score) for label, score in used], copies),
        subgroups={name: levels for name, levels in columns.items() if (levels != NOT_STATED).any()},
        sources=np.repeat(np.arange(len(used)), copies) if is_weighted else None,
    )


def _copies(used: list[tuple[Label, StoredScore]]) -> NDArray[np.intp]:
    """Whole numbers of rows for the films' weights, at least 1 each.

    Films that are alike in weight, label and score are rounded up and down in turn, so that each group of
    films keeps its weight: of ten films that stand for 1.4 each, four get two rows.
    """
    weights = np.array([label.weight for label, _ in used], np.float64)
    abnormal = np.array([label.abnormal for label, _ in used], np.bool_)
    margins = np.array([score.margin for _, score in used], np.float64)
    order = np.lexsort((margins, abnormal, weights))
    so_far = np.floor(np.cumsum(weights[order]) + 0.5)
    copies = np.empty(weights.size, np.intp)
    copies[order] = np.maximum(1, np.diff(so_far, prepend=0))
    return copies


def _level(label: Label, score: StoredScore, number: int) -> str:
    """As the label says; the view, if it does not, as the film says."""
    return label.subgroups[number] or (score.outcome.view if VARIABLES[number] == "view" else NOT_STATED)


def _patient(label: Label, score: StoredScore) -> str:
    return f"patient {label.patient}" if label.patient else f"film {score.outcome.sha256}"


def _unscored(label: Label, digest: str, score: StoredScore | None) -> UnscoredFilm:
    if score is not None:
        return UnscoredFilm(label.file, score.outcome.code or "not-scored", score.outcome.message)
    if digest:
        return UnscoredFilm(label.file, NOT_IN_SCAN, "the film is not among those of the scan")
    return UnscoredFilm(label.file, FILE_MISSING, f"there is no film at {label.path}")
