"""The films that a precision is made from, chosen by and judged on: never the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.intervals import FEWEST_PATIENTS, are_enough
from cxr_runtime.backends.engine import Engine, Outputs
from cxr_runtime.backends.self_test import phantom_inputs
from cxr_runtime.errors import UsageError
from cxr_runtime.files import MANIFEST_FILE
from cxr_runtime.logits import margins, sigmoid
from cxr_runtime.model.folder import read_manifest
from cxr_runtime.model.known_films import read_known_films
from cxr_runtime.model.preprocessing import Preprocessing, normalise
from cxr_runtime.progress import Progress
from cxr_train.data import TrainingFilm, read_film_table
from cxr_train.data.fifths import Fifth
from cxr_train.data.known import digest_of, known_films, unknown_rows
from cxr_train.data.prepared_films import CACHE, prepare_films
from cxr_train.data.split import SPLIT_FILE, Rows
from cxr_train.prediction import labels_of, scored_rows

CALIBRATION_FILMS = 64
CHOOSING_FILMS = 64
LEAST_MAKING = 8  # films to make and choose by: fewer say nothing of what a layer's numbers may be
MOST_JUDGED = 600  # films; more would not narrow the interval of a paired difference by much
LEAST_JUDGED = 20
_PHANTOMS = 12
FILMS_AT_ONCE = 8


@dataclass(frozen=True)
class ExportFilms:
    """Prepared films; (N, H, W) uint8 as the preprocessing leaves them."""

    calibration: NDArray[np.uint8] = field(repr=False)  # ranges and scales are taken from these
    choosing: NDArray[np.uint8] = field(repr=False)  # what there is to choose is chosen on these
    judged: NDArray[np.uint8] = field(repr=False)  # the precisions are compared on these
    labels: NDArray[np.intp] | None  # (N,) 0 normal, 1 abnormal, of the judged ones; None: not known
    source: str  # where they come from, for tables
    patients: NDArray[np.str_] | None = None  # (N,) of the judged ones; None: each is of another patient


def drawn_films(how: Preprocessing) -> ExportFilms:
    """Phantoms, where there are no real films; nobody knows what a network should say of them."""
    calibration, choosing, judged = phantom_inputs(how, 3 * _PHANTOMS).reshape(3, _PHANTOMS, *how.input_hw)
    return ExportFilms(calibration, choosing, judged, None, "phantoms")


def real_films(
    data: Sequence[Path],
    how: Preprocessing,
    source: Path | None = None,
    cache: Path = CACHE,
    progress: Progress | None = None,
) -> ExportFilms:
    """Films of data sets: those of patients that a network learned from make and choose, the others judge.

    Args:
        data: data sets, as for training.
        how: the network's preprocessing.
        source: the training run or the model folder; None where there is none, or it did not see these
            patients.
        cache: folder of prepared films.
        progress: hears of every film that is prepared.

    Raises:
        UsageError: a data set cannot be read, or too few films are left to make or to judge by.
    """
    films = read_film_table(data, (Fifth.TRAINING, Fifth.THRESHOLD))
    making, judging = _deal(films, _unknown_rows(films, source))
    judging = scored_rows(films, judging)[:MOST_JUDGED]
    labels = labels_of(films, judging)
    patients = np.array([films[row].patient for row in judging])
    has_both = np.unique(labels).size == 2 and are_enough(patients, labels)
    if len(judging) < LEAST_JUDGED or not has_both:
        raise UsageError(
            f"{len(judging)} labelled films of patients unknown to the network are left to judge by; "
            f"expected {LEAST_JUDGED} of both classes, {FEWEST_PATIENTS} patients of each: give more data"
        )
    if len(making) < LEAST_MAKING:
        raise UsageError(
            f"films to make a precision and to choose by: {len(making)}, of patients whom the network knows; "
            f"expected {LEAST_MAKING} or more: give more of the data that it was trained on"
        )
    rows = np.concatenate([making, judging])
    prepared = prepare_films(tuple(films[row] for row in rows), how, cache, 1, progress)
    inputs, first = np.asarray(prepared.inputs), (len(making) + 1) // 2
    named = ", ".join(path.stem for path in data)
    making_inputs, judged = inputs[: len(making)], inputs[len(making) :]
    return ExportFilms(making_inputs[:first], making_inputs[first:], judged, labels, named, patients)


def _unknown_rows(films: Sequence[TrainingFilm], source: Path | None) -> set[int]:
    """Rows of patients that a run or a model folder has not learned from, as far as it says so."""
    if source is not None and (source / SPLIT_FILE).is_file():
        return set(unknown_rows(films, [known_films(source)]))
    if source is not None and (source / MANIFEST_FILE).is_file():
        known = read_known_films(source, read_manifest(source / MANIFEST_FILE).model_sha256)
        if known is not None:
            patients = {film.patient for film in films if known.knows(digest_of(film.path))}
            return {row for row, film in enumerate(films) if film.patient not in patients}
    return set(range(len(films)))


def _deal(films: Sequence[TrainingFilm], unknown: set[int]) -> tuple[Rows, Rows]:
    """Rows to make and choose by and rows to judge by, without a patient in common; in a drawn order."""
    most = CALIBRATION_FILMS + CHOOSING_FILMS
    order = np.random.default_rng(0).permutation(len(films))
    if len(unknown) == len(films):
        patients = list({films[row].patient: None for row in order})
        making = set(patients[: min(most, len(patients) // 4)])
        unknown = {row for row in unknown if films[row].patient not in making}
    seen = np.array([row not in unknown for row in order])
    return order[seen][:most], order[~seen]


def run_films(engine: Engine, inputs: NDArray[np.uint8], how: Preprocessing) -> Outputs:
    """Both outputs of all films.

    Args:
        engine: takes batches of FILMS_AT_ONCE; it is closed.
        inputs: (N, H, W) uint8, as the preprocessing leaves them.
        how: the network's preprocessing.
    """
    starts = range(0, len(inputs), FILMS_AT_ONCE)
    parts = [engine.run(normalise(inputs[start : start + FILMS_AT_ONCE], how)) for start in starts]
    engine.close()
    return Outputs(
        np.concatenate([part.logits for part in parts]), np.concatenate([part.conv5 for part in parts])
    )


def film_scores(outputs: Outputs) -> NDArray[np.float64]:
    """(N,) 0..100, softmax of abnormal, without calibration."""
    return 100 * sigmoid(margins(outputs.logits))
