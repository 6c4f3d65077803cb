"""A promise founded on more films: those of another network's margins, whose patients it had not seen either.

Few films set a threshold, and by chance they may be harder than others of their kind. Another network that
has learned neither from them nor from many other films of the same kind tells how much harder they are. A
film's flag is expected from its margin by logistic regression; what is expected on all films less what is
expected on those here is added to what was found here (a generalised regression estimator with a logistic
model, Lehtonen and Veijanen 1998). It is unbiased whether or not the model fits. The more alike the two
networks are, the nearer it is to the truth.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.fit.description import Description
from cxr_calibration.fit.operating_points import MeasuredPoint, meaning_at
from cxr_calibration.fit.probability_maps import fit_platt
from cxr_calibration.fit.subgroups import Subgroup, SubgroupReport, warning_of
from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_calibration.statistics.checked import Scores, Truth
from cxr_calibration.statistics.intervals import Estimate, wilson, wilson_by_patient
from cxr_runtime.errors import CalibrationError
from cxr_runtime.model.calibration import ProbabilityMap

LEAST_OUTCOMES = 5  # films flagged, and not flagged, from which a model of flags is fitted
LEAST_FILMS = 10  # on either side, below which a share stays as it was found


@dataclass(frozen=True)
class Beside:
    """What another network says of films from whose patients it has not learned."""

    here: Scores = field(repr=False)  # (N,) its margins of the films that are calibrated on; nan for none
    elsewhere: LabelledFilms = field(repr=False)  # M other films of the same kind, with its margins

    @property
    def compared(self) -> int:
        """How many of the films here it was asked about."""
        return int(np.isfinite(self.here).sum())


def founded_on_more(description: Description, films: LabelledFilms, beside: Beside) -> Description:
    """Sensitivity and specificity of every operating point and subgroup, corrected for how hard films are.

    Thresholds, counts, and whether a point is met stay as they are.

    Args:
        description: from `fit_and_describe` of these films.
        films: N films.
        beside: another network's margins of some of them, and of more.
    """
    points = tuple(_point(point, films, beside) for point in description.points)
    report = _subgroups(description, films, beside)
    return replace(description, points=points, subgroups=report, beside=beside.elsewhere.films)


def _point(point: MeasuredPoint, films: LabelledFilms, beside: Beside) -> MeasuredPoint:
    sensitivity, specificity = _shares(point.flagged, films, beside)
    return replace(
        point,
        sensitivity=sensitivity,
        specificity=specificity,
        at_prevalence=tuple(
            meaning_at(each.prevalence, sensitivity, specificity) for each in point.at_prevalence
        ),
    )


def _subgroups(description: Description, films: LabelledFilms, beside: Beside) -> SubgroupReport:
    flagged, before = description.default_point.flagged, description.subgroups
    groups = tuple(_subgroup(group, flagged, films, beside) for group in before.subgroups)
    differences = tuple(
        replace(each, warning=warning_of(each.variable, each.measure, each.adjusted_p_value, groups))
        for each in before.differences
    )
    return SubgroupReport(groups, differences)


def _subgroup(group: Subgroup, flagged: Truth, films: LabelledFilms, beside: Beside) -> Subgroup:
    sensitivity, specificity = _shares(flagged, films, beside, (group.variable, group.level))
    return replace(group, sensitivity=sensitivity, specificity=specificity)


def _shares(
    flagged: Truth, films: LabelledFilms, beside: Beside, group: tuple[str, str] | None = None
) -> tuple[Estimate, Estimate]:
    """Sensitivity and specificity, of all films or of one level of a variable."""
    found = [flagged_share(flagged, films, beside, abnormal, group) for abnormal in (True, False)]
    normal = found[1]
    return found[0], Estimate(1 - normal.value, 1 - normal.high, 1 - normal.low)


def flagged_share(
    flagged: Truth,
    films: LabelledFilms,
    beside: Beside,
    abnormal: bool,
    group: tuple[str, str] | None = None,
) -> Estimate:
    """Share of the films of a class that are flagged, corrected for how hard they are.

    Args:
        flagged: (N,) of the films.
        films: N films.
        beside: another network's margins of some of them, and of more.
        abnormal: the class.
        group: a variable and its level; None: all films of the class.
    """
    of_class, others = films.truth == abnormal, beside.elsewhere.truth == abnormal
    asked = _in_group(films, of_class, group)
    more = _in_group(beside.elsewhere, others, group)
    here, patients = flagged[asked], films.patients[asked]
    compared = asked & np.isfinite(beside.here)
    model = _model(flagged, beside.here, of_class & np.isfinite(beside.here))
    if model is None or min(int(compared.sum()), int(more.sum())) < LEAST_FILMS:
        return wilson_by_patient(here, patients)
    there = model.probability(beside.elsewhere.margins[more])
    share_of_more = there.size / (there.size + int(compared.sum()))
    moved = np.zeros(films.margins.size)
    moved[compared] = share_of_more * (there.mean() - model.probability(beside.here[compared]))
    corrected = here + moved[asked]
    weight = share_of_more * int(compared.sum()) / here.size
    variance = _variance(corrected, patients)
    variance += weight**2 * _variance(there, beside.elsewhere.patients[more])
    return _wilson_of(float(corrected.mean()), variance, here, patients)


def _in_group(films: LabelledFilms, which: Truth, group: tuple[str, str] | None) -> Truth:
    if group is None:
        return which
    variable, level = group
    levels = films.subgroups.get(variable)
    return np.zeros_like(which) if levels is None else which & (levels == level)


def _model(flagged: Truth, margins: Scores, which: Truth) -> ProbabilityMap | None:
    """The probability of a flag, from another network's margin; None where films do not tell."""
    outcomes = flagged[which]
    if min(int(outcomes.sum()), int((~outcomes).sum())) < LEAST_OUTCOMES:
        return None
    try:
        return fit_platt(margins[which], outcomes)
    except CalibrationError:  # the two networks have nothing in common
        return None


def _variance(values: NDArray[np.float64], patients: NDArray[np.str_]) -> float:
    """Of the mean of (N,) numbers, patients whole."""
    _, which = np.unique(patients, return_inverse=True)
    number = int(which.max()) + 1
    excess = np.bincount(which, weights=values - values.mean(), minlength=number)
    return number / max(number - 1, 1) * float(excess @ excess) / values.size**2


def _wilson_of(value: float, variance: float, found: Truth, patients: NDArray[np.str_]) -> Estimate:
    """Wilson's interval, with as many films as the variance is worth."""
    if not 0 < value < 1 or variance == 0:
        return wilson_by_patient(found, patients)
    effective = value * (1 - value) / variance
    return wilson(value * effective, effective)
