"""The reference that monitoring compares with, as it stands in calibration.json."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from cxr_calibration.reference import Distribution, Reference
from cxr_runtime.errors import CalibrationError
from cxr_runtime.model.calibration import ProbabilityMap

SCORE_BINS = 20  # of the histogram of scores, 5 points each


def stated_reference(reference: Reference, fitted: ProbabilityMap) -> dict[str, Any]:
    """The reference as an object of calibration.json, the scores as a histogram too.

    Args:
        reference: what films looked like.
        fitted: the calibration's map, for the histogram.
    """
    edges = np.arange(SCORE_BINS + 1) / SCORE_BINS
    said = Distribution(reference.margins.films, fitted.probability(reference.margins.quantiles))
    return {
        "scored_films": reference.margins.films,
        "independent_films": reference.independent_films,
        "score_histogram": {"edges": 100 * edges, "shares": said.histogram(edges)},
        "margins": reference.margins,
        "brightness": reference.brightness,
        "contrast": reference.contrast,
        "views": reference.views,
        "films": reference.films,
        "unscored": reference.unscored,
    }


def read_reference(path: Path) -> Reference:
    """Read what monitoring compares with from a calibration.json.

    Raises:
        CalibrationError: the file is damaged, or states no reference.
    """
    try:
        return _reference(json.loads(path.read_text(encoding="utf-8"))["reference"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CalibrationError(
            f"calibration {path} has no reference to compare with ({error!r}); make it anew with "
            "`cxr-triage calibrate`, or give nights that were in order with --baseline"
        ) from error


def _reference(stated: dict[str, Any]) -> Reference:
    margins = _distribution(stated["margins"])
    if margins is None:
        raise ValueError("no margins")
    return Reference(
        margins=margins,
        independent_films=int(stated["independent_films"]),
        brightness=_distribution(stated["brightness"]),
        contrast=_distribution(stated["contrast"]),
        views={str(view): int(films) for view, films in stated["views"].items()},
        films=None if stated["films"] is None else int(stated["films"]),
        unscored={str(code): int(films) for code, films in stated["unscored"].items()},
    )


def _distribution(stated: dict[str, Any] | None) -> Distribution | None:
    if stated is None:
        return None
    quantiles = np.array(stated["quantiles"], np.float64)
    if quantiles.size < 2 or not np.isfinite(quantiles).all() or (np.diff(quantiles) < 0).any():
        raise ValueError("quantiles do not rise")
    return Distribution(int(stated["films"]), quantiles)
