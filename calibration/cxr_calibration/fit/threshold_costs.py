"""What every threshold would mean in a clinic: films found, missed and to read, and the cost of a case."""

from dataclasses import dataclass
from math import isnan

import numpy as np

from cxr_calibration.labels.film_csv import csv_bytes
from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_calibration.statistics.checked import Scores
from cxr_calibration.statistics.confusion import Confusion, confusion_at, flagged_share_at, npv_at, ppv_at
from cxr_calibration.statistics.intervals import Estimate

MOST_ROWS = 1000  # with more different scores than that, every tenth of a point of the score is a row


@dataclass(frozen=True)
class Clinic:
    """Whom the table is for."""

    prevalence: float  # share of films that are abnormal, 0..1
    films: int = 1000  # films taken
    price_per_film: float = 1.0  # of taking and scoring a film, any currency
    price_per_read: float = 10.0  # of what follows a flag: a reader, a laboratory test


@dataclass(frozen=True)
class ThresholdRow:
    """One threshold."""

    threshold: float  # flagged at or above this probability
    counts: Confusion  # of the labelled films, whatever each of them stands for
    sensitivity: Estimate
    specificity: Estimate
    ppv: float  # at the clinic's prevalence, as all that follows
    npv: float
    cases_found: float
    cases_missed: float
    films_to_read: float
    cost: float
    cost_per_case_found: float  # nan where none is found


def threshold_row(
    threshold: float, probabilities: Scores, films: LabelledFilms, clinic: Clinic
) -> ThresholdRow:
    """Measure one threshold.

    Args:
        threshold: probability at or above which a film is flagged.
        probabilities: (N,) from maps that were not fitted on the film.
        films: the N labelled films; both classes present.
        clinic: the films the costs are for.
    """
    flagged, truth, once = probabilities >= threshold, films.truth, films.first_rows
    sensitivity, specificity = films.share(flagged, truth), films.share(~flagged, ~truth)
    cases = clinic.films * clinic.prevalence
    found = sensitivity.value * cases
    to_read = clinic.films * flagged_share_at(sensitivity.value, specificity.value, clinic.prevalence)
    cost = clinic.films * clinic.price_per_film + to_read * clinic.price_per_read
    return ThresholdRow(
        threshold=threshold,
        counts=confusion_at(probabilities[once], truth[once], threshold),
        sensitivity=sensitivity,
        specificity=specificity,
        ppv=ppv_at(sensitivity.value, specificity.value, clinic.prevalence),
        npv=npv_at(sensitivity.value, specificity.value, clinic.prevalence),
        cases_found=found,
        cases_missed=cases - found,
        films_to_read=to_read,
        cost=cost,
        cost_per_case_found=cost / found if found else float("nan"),
    )


def threshold_costs(probabilities: Scores, films: LabelledFilms, clinic: Clinic) -> tuple[ThresholdRow, ...]:
    """A row for every threshold that flags other films than the one before, rising."""
    distinct = np.unique(probabilities)
    if distinct.size > MOST_ROWS:
        distinct = np.arange(MOST_ROWS + 1) / MOST_ROWS
    return tuple(threshold_row(float(at), probabilities, films, clinic) for at in distinct)


def costs_csv(rows: tuple[ThresholdRow, ...]) -> bytes:
    """The table as CSV (RFC 4180); a cell is empty where its number does not exist."""
    return csv_bytes([_COLUMNS, *([_cell(value) for value in _values(row)] for row in rows)])


_COLUMNS = (
    "score", "threshold", "tp", "fp", "tn", "fn",
    "sensitivity", "sensitivity_low", "sensitivity_high",
    "specificity", "specificity_low", "specificity_high",
    "ppv", "npv", "cases_found", "cases_missed", "films_to_read", "cost", "cost_per_case_found",
)  # fmt: skip


def _values(row: ThresholdRow) -> tuple[float, ...]:
    counts, found, right = row.counts, row.sensitivity, row.specificity
    return (
        100 * row.threshold, row.threshold,
        counts.true_positives, counts.false_positives, counts.true_negatives, counts.false_negatives,
        found.value, found.low, found.high, right.value, right.low, right.high,
        row.ppv, row.npv, row.cases_found, row.cases_missed, row.films_to_read, row.cost,
        row.cost_per_case_found,
    )  # fmt: skip


def _cell(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return "" if isnan(value) else f"{value:.6f}".rstrip("0").rstrip(".")
