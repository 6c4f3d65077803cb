"""Sensitivity and specificity by view, sex, age group and site, and whether they differ beyond chance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.labels.facts import NOT_STATED
from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_calibration.statistics.checked import Truth
from cxr_calibration.statistics.intervals import Estimate

SIGNIFICANCE = 0.05  # of all comparisons together (Holm 1979)
PERMUTATIONS = 1999


@dataclass(frozen=True)
class Subgroup:
    """One level of one variable, say view PA."""

    variable: str
    level: str
    films: int
    abnormal: int
    sensitivity: Estimate
    specificity: Estimate


@dataclass(frozen=True)
class SubgroupDifference:
    """Whether a measure differs between the levels of a variable."""

    variable: str
    measure: str  # sensitivity or specificity
    p_value: float  # of no difference, by permutation of patients
    adjusted_p_value: float  # for all comparisons made (Holm 1979)
    warning: str  # one sentence where it differs beyond chance, else ""


@dataclass(frozen=True)
class SubgroupReport:
    """All subgroups of one operating point."""

    subgroups: tuple[Subgroup, ...]
    differences: tuple[SubgroupDifference, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each difference beyond chance."""
        return tuple(difference.warning for difference in self.differences if difference.warning)


def measure_subgroups(films: LabelledFilms, flagged: Truth, seed: int = 0) -> SubgroupReport:
    """Measure every level of every variable of the films.

    Args:
        films: N films with their subgroups.
        flagged: (N,) flags by a threshold that had no part in these films.
        seed: of the permutations.
    """
    subgroups: list[Subgroup] = []
    tested: list[tuple[str, str, float]] = []
    for variable, levels in films.subgroups.items():
        for level in np.unique(levels):
            subgroups.append(_subgroup(films, flagged, variable, str(level)))
        for measure, of_class in (("sensitivity", films.truth), ("specificity", ~films.truth)):
            which = of_class & (levels != NOT_STATED)
            if np.unique(levels[which]).size > 1:
                hits, patients = (flagged == films.truth)[which], films.patients[which]
                tested.append((variable, measure, permutation_test(hits, levels[which], patients, seed)))
    adjusted = holm([p_value for _, _, p_value in tested])
    differences = tuple(
        SubgroupDifference(*test, p_value, warning_of(*test[:2], p_value, subgroups))
        for test, p_value in zip(tested, adjusted, strict=True)
    )
    return SubgroupReport(tuple(subgroups), differences)


def permutation_test(
    hits: NDArray[np.bool_], levels: NDArray[np.str_], patients: NDArray[np.str_], seed: int = 0
) -> float:
    """Chance of shares that differ so much between levels if levels meant nothing.

    Levels are shuffled among patients, all films of a patient at one level staying together.

    Args:
        hits: (N,) bool.
        levels: (N,) at least two different ones.
        patients: (N,) one value a patient.
        seed: of the permutations.

    Returns:
        A p-value, above 0.
    """
    _, level = np.unique(levels, return_inverse=True)
    _, patient = np.unique(patients, return_inverse=True)
    _, first, unit = np.unique(patient * (level.max() + 1) + level, return_index=True, return_inverse=True)
    level_of_unit, films = level[first], np.bincount(unit)
    found = np.asarray(np.bincount(unit, weights=hits), np.float64)
    random, as_much = np.random.default_rng(seed), 1
    observed = _spread(level_of_unit, films, found)
    for _ in range(PERMUTATIONS):
        as_much += _spread(random.permutation(level_of_unit), films, found) >= observed - 1e-9
    return as_much / (PERMUTATIONS + 1)


def holm(p_values: list[float]) -> list[float]:
    """P-values adjusted for how many there are (Holm, Scand J Stat 1979)."""
    order = np.argsort(p_values, kind="stable")
    steps = np.array(p_values)[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return [float(p_value) for p_value in adjusted]


def _spread(level_of_unit: NDArray[np.intp], films: NDArray[np.intp], found: NDArray[np.float64]) -> float:
    """Sum of squares between levels, up to what no permutation changes."""
    total = np.bincount(level_of_unit, weights=films)
    return float(np.sum(np.bincount(level_of_unit, weights=found) ** 2 / total))


def _subgroup(films: LabelledFilms, flagged: Truth, variable: str, level: str) -> Subgroup:
    which = films.subgroups[variable] == level
    abnormal, normal = which & films.truth, which & ~films.truth
    first = films.first_rows
    return Subgroup(
        variable=variable,
        level=level,
        films=int(which[first].sum()),
        abnormal=int(abnormal[first].sum()),
        sensitivity=films.share(flagged, abnormal),
        specificity=films.share(~flagged, normal),
    )


def warning_of(variable: str, measure: str, p_value: float, subgroups: Sequence[Subgroup]) -> str:
    """One sentence where a measure differs between levels beyond chance, else ""."""
    if p_value >= SIGNIFICANCE:
        return ""
    stated = [group for group in subgroups if group.variable == variable and group.level != NOT_STATED]
    shares = ", ".join(f"{group.level} {getattr(group, measure).value:.2f}" for group in stated)
    return f"{measure} differs by {variable} beyond chance ({shares}; p = {p_value:.3f}, Holm)"
