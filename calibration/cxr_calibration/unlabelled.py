"""What a model's threshold does at a clinic that has no labels yet; or why that cannot be known."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr_calibration.fit.unlabelled import LEAST_FILMS, Expected, expect, over_all
from cxr_calibration.labels.scoring_films import score_films, scores_of_scan, unknown_films
from cxr_calibration.monitor import read_promised
from cxr_calibration.monitoring.reference import read_reference
from cxr_calibration.statistics.intervals import Estimate
from cxr_runtime.errors import CalibrationError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.model.calibration import OperatingPoint
from cxr_runtime.model.folder import DEFAULT_MODEL, Model, open_model
from cxr_runtime.model.known_films import read_known_films
from cxr_runtime.model.likeness import Alike, Foreign, likeness
from cxr_runtime.progress import Progress, Silence
from cxr_runtime.store.rows import StoredScore
from cxr_runtime.store_file import is_store
from cxr_runtime.typed_json import from_json

NEXT_STEP = "Scan them, and label 60: `cxr-triage calibrate --choose 60 --scan DIR` says which"


@dataclass(frozen=True)
class UnlabelledSite:
    """A clinic's films without labels, and what is expected of a model's threshold on them."""

    films: int  # with a score, that the model has not learned from
    point: OperatingPoint
    expected: Expected
    knows_views: bool  # the intervals are over all views; otherwise they hold for the calibration's mix


def expect_without_labels(
    folder: Path,
    model: str | Path = DEFAULT_MODEL,
    progress: Progress | None = None,
) -> UnlabelledSite:
    """Say what a threshold is expected to do on films without labels. Nothing is written.

    Args:
        folder: films as they come, or the output folder of a scan of them.
        model: name of a model that came with the program, or a model folder.
        progress: hears of every film that is scored.

    Raises:
        CalibrationError: it cannot be known: the films look unlike those of the calibration, are too few, or
            the calibration does not say how its films looked and scored.
        ModelError: the model is damaged.
        StoreError: the scan cannot be read.
    """
    opened = open_model(model)
    point = opened.calibration.operating_point()
    scores = _scores(opened, folder, progress or Silence())
    known = unknown_films(scores, read_known_films(opened.folder, opened.manifest.model_sha256))
    scored = [(score.looks, score.margin) for score in known if score.margin is not None]
    if len(scored) < LEAST_FILMS:
        raise CalibrationError(
            f"{folder} has {len(scored)} films with a score that the model has not learned from; expected "
            f"{LEAST_FILMS} as they come, else nothing can be said without labels"
        )
    alike = likeness(opened.calibration.looks, scored)
    if isinstance(alike, Foreign):
        raise CalibrationError(
            f"what the threshold does on these {alike.films} films cannot be known without labels: they look "
            f"unlike those that it was set on (distance {alike.distance:.1f}), and no way to move scores has "
            f"been found to hold there. {NEXT_STEP}"
        )
    reference = read_reference(opened.calibration_file) if isinstance(alike, Alike) else None
    if reference is None or reference.kinds is None:
        raise CalibrationError(
            f"the calibration {opened.calibration_file} does not say how its films looked and scored, so "
            f"nothing can be said without labels. {NEXT_STEP}"
        )
    promised, views = read_promised(opened.calibration_file, point.name), _by_view(opened)
    expected = expect(
        reference.kinds,
        _margin_at(opened, point),
        over_all(promised.sensitivity, [sensitivity for sensitivity, _ in views]),
        over_all(promised.specificity, [specificity for _, specificity in views]),
        np.array([margin for _, margin in scored], np.float64),
    )
    return UnlabelledSite(len(scored), point, expected, knows_views=bool(views))


@dataclass(frozen=True)
class _Share:
    value: float | None
    interval: tuple[float | None, float | None]

    def estimate(self) -> Estimate | None:
        low, high = self.interval
        return None if self.value is None or low is None or high is None else Estimate(self.value, low, high)


@dataclass(frozen=True)
class _Subgroup:
    variable: str
    level: str
    sensitivity: _Share | None
    specificity: _Share | None


@dataclass(frozen=True)
class _Stated:
    """What is read of calibration.json: what was measured at the default point, by view."""

    subgroups: tuple[_Subgroup, ...] = ()


def _by_view(model: Model) -> list[tuple[Estimate, Estimate]]:
    """Sensitivity and specificity of every view that the calibration's films stated."""
    try:
        stated = from_json(model.calibration_file.read_bytes(), _Stated).subgroups
    except ValueError as error:
        raise CalibrationError(
            f"the calibration {model.calibration_file} cannot be used ({error}); make it anew with "
            "`cxr-triage calibrate`"
        ) from error
    found = []
    for group in stated:
        if group.variable == "view" and group.level and group.sensitivity and group.specificity:
            shares = group.sensitivity.estimate(), group.specificity.estimate()
            if shares[0] is not None and shares[1] is not None:
                found.append((shares[0], shares[1]))
    return found


def _scores(model: Model, folder: Path, progress: Progress) -> Sequence[StoredScore]:
    if is_store(folder / STORE_FILE):
        return scores_of_scan(model, folder)
    return score_films(model, [folder], progress)


def _margin_at(model: Model, point: OperatingPoint) -> float:
    """The lowest margin that a point flags, to 0.01."""
    margins = np.arange(-40.0, 40.0, 0.01)
    flagged = model.calibration.probability(margins) >= point.threshold
    return float(margins[int(np.argmax(flagged))]) if flagged.any() else float(margins[-1])
