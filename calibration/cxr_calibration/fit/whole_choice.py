"""What is owed to choosing: a bootstrap of the whole choice, of network, map and threshold (Efron 1983).

Cross-validation measures a threshold on films by which it was not set, but the network was chosen among
several on all of these films. Here each sample of patients chooses anew, and the others say what it is worth.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.fit.description import FitOptions, fit_and_describe
from cxr_calibration.fit.probability_maps import fit_platt
from cxr_calibration.fit.rules import Balanced, Sample
from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_calibration.statistics.intervals import percent
from cxr_calibration.statistics.roc import auc
from cxr_runtime.errors import UsageError
from cxr_runtime.markdown import markdown_table

REPLICATES = 200
OUTSIDE = 0.632  # weight of films that a sample does not hold: the share of films that it does


@dataclass(frozen=True)
class Shares:
    """Of films of each kind."""

    sensitivity: float
    specificity: float


@dataclass(frozen=True)
class WholeChoice:
    """A choice, and what is left of it on films that had no part in it."""

    chosen: str
    how_often: Mapping[str, float]  # share of samples that choose each candidate
    apparent: Shares  # on the films by which all was chosen
    outside: Shares  # mean over samples, on the films of patients that they do not hold
    corrected: Shares  # OUTSIDE of the second, the rest of the first


def whole_choice(
    candidates: Mapping[str, LabelledFilms], replicates: int = REPLICATES, seed: int = 0
) -> WholeChoice:
    """Choose the candidate of the greatest AUC, its map and its balanced threshold; then correct for that.

    Args:
        candidates: by name, what each network says of the same films in the same order.
        replicates: samples of patients.
        seed: of the samples.

    Raises:
        UsageError: there is no candidate, or they are about different films.
    """
    films = _the_same_films(candidates)
    _, patient = np.unique(films.patients, return_inverse=True)
    patients = int(patient.max()) + 1
    random, everyone = np.random.default_rng(seed), np.arange(films.truth.size)
    best, apparent = _choose(candidates, everyone, everyone)
    chosen: Counter[str] = Counter()
    found: list[tuple[float, float]] = []
    while len(found) < replicates:
        times = np.bincount(random.integers(patients, size=patients), minlength=patients)[patient]
        inside, outside = np.repeat(everyone, times), np.flatnonzero(times == 0)
        if np.unique(films.truth[inside]).size < 2 or np.unique(films.truth[outside]).size < 2:
            continue
        name, shares = _choose(candidates, inside, outside)
        chosen[name] += 1
        found.append((shares.sensitivity, shares.specificity))
    left = Shares(*np.mean(found, axis=0).tolist())
    corrected = Shares(
        OUTSIDE * left.sensitivity + (1 - OUTSIDE) * apparent.sensitivity,
        OUTSIDE * left.specificity + (1 - OUTSIDE) * apparent.specificity,
    )
    how_often = {name: chosen[name] / replicates for name in candidates}
    return WholeChoice(best, how_often, apparent, left, corrected)


def whole_choice_table(candidates: Mapping[str, LabelledFilms], replicates: int = REPLICATES) -> str:
    """The choice as markdown, beside the promise of cross-validation; errors as `whole_choice`."""
    choice = whole_choice(candidates, replicates)
    options = FitOptions(rules=(Balanced(),))
    point = fit_and_describe(candidates[choice.chosen], options).default_point
    rows = [
        ["on the films by which it was chosen", *_cells(choice.apparent)],
        [
            "promised: map and threshold by cross-validation",
            *_cells(Shares(point.sensitivity.value, point.specificity.value)),
        ],
        ["samples of patients that choose all anew, on the others", *_cells(choice.outside)],
        ["the first and the third together (.632)", *_cells(choice.corrected)],
    ]
    named = ", ".join(f"{name} by {percent(share)}" for name, share in choice.how_often.items())
    table = markdown_table([f"{choice.chosen}, `balanced`", "sensitivity", "specificity"], rows)
    return f"{table}\n\nChosen in {replicates} samples: {named}."


def _cells(shares: Shares) -> list[str]:
    return [percent(shares.sensitivity), percent(shares.specificity)]


def _the_same_films(candidates: Mapping[str, LabelledFilms]) -> LabelledFilms:
    if not candidates:
        raise UsageError("there is no candidate to choose; give at least one file of margins")
    first = next(iter(candidates.values()))
    for name, films in candidates.items():
        if not (np.array_equal(films.patients, first.patients) and np.array_equal(films.truth, first.truth)):
            raise UsageError(f"{name} is about other films than the first; give margins of the same films")
    return first


def _choose(
    candidates: Mapping[str, LabelledFilms], inside: NDArray[np.intp], asked: NDArray[np.intp]
) -> tuple[str, Shares]:
    """Choose by some films; what the choice says of others."""
    areas = {name: auc(films.margins[inside], films.truth[inside]) for name, films in candidates.items()}
    name = max(areas, key=areas.__getitem__)
    films = candidates[name]
    fitted = fit_platt(films.margins[inside], films.truth[inside])
    said = fitted.probability(films.margins[inside])
    threshold = Balanced().threshold(Sample(said, films.truth[inside], films.patients[inside], said))
    flagged, truth = fitted.probability(films.margins[asked]) >= threshold, films.truth[asked]
    return name, Shares(float(flagged[truth].mean()), float((~flagged[~truth]).mean()))
