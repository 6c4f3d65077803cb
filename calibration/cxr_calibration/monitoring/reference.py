"""What films, scores and rejections were like when the calibration was made; monitoring compares to it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from cxr_calibration.monitoring.looks import fit_looks
from cxr_calibration.statistics.distributions import Distribution, Kinds
from cxr_calibration.statistics.intervals import DECIMALS
from cxr_runtime.errors import CalibrationError
from cxr_runtime.model.calibration import ProbabilityMap
from cxr_runtime.model.likeness import LooksReference
from cxr_runtime.model.looks import Looks
from cxr_runtime.outcome import Status
from cxr_runtime.store.rows import StoredScore
from cxr_runtime.typed_json import from_json


@dataclass(frozen=True)
class ReferenceFilm:
    """One film as it came, scored or not."""

    margin: float | None  # None where it was not scored
    brightness: float | None = None  # mean of the network's input, 0..1
    contrast: float | None = None  # its standard deviation
    code: str = ""  # why it was not scored
    view: str = ""  # PA, AP or ""
    looks: Looks = ()  # how it looks; empty where that was not measured
    abnormal: bool | None = None  # None where nobody has said
    said_view: str = ""  # PA, AP or "", as a label says it; "" where none does
    stands_for: int = 1  # films, where labelled films were chosen by their scores


@dataclass(frozen=True)
class Said:
    """What a label says of a film."""

    abnormal: bool | None = None  # None where nobody has said
    view: str = ""  # PA, AP or ""
    stands_for: int = 1  # films


NOTHING_SAID = Said()


@dataclass(frozen=True)
class Reference:
    """What films looked like when all was well."""

    margins: Distribution
    independent_films: int  # as many as there were patients, where that was known
    brightness: Distribution | None
    contrast: Distribution | None
    views: dict[str, int]  # scored films by stated view
    films: int | None  # scored or not; None where only films fit for scoring were given
    unscored: dict[str, int]  # films by code; empty where `films` is None
    looks: LooksReference | None = None  # how they look; None where too few say
    kinds: Kinds | None = None  # how normal and abnormal ones score; None where nobody said which is which


def reference_films(
    scores: Sequence[StoredScore], said: Mapping[str, Said] | None = None
) -> list[ReferenceFilm]:
    """Rows of a scan as monitoring sees them.

    Args:
        scores: the rows.
        said: by their sha256, what labels say of films; None: nobody has said anything.
    """
    known = [(said or {}).get(score.outcome.sha256, NOTHING_SAID) for score in scores]
    return [
        ReferenceFilm(
            margin=score.margin,
            brightness=score.input_mean,
            contrast=score.input_contrast,
            code=score.outcome.code if score.outcome.status is not Status.SCORED else "",
            view=score.outcome.view,
            looks=score.looks,
            abnormal=label.abnormal,
            said_view=label.view,
            stands_for=label.stands_for,
        )
        for score, label in zip(scores, known, strict=True)
    ]


def make_reference(films: Iterable[ReferenceFilm], *, patients: int | None, is_everyday: bool) -> Reference:
    """Describe films as they came.

    Films that were chosen by their scores count as often as they stand for films in what is said of scores,
    brightness and contrast. Views and looks are those of the films themselves.

    Args:
        films: at least one of them scored.
        patients: how many different patients the scored films are of, if known, or as how many they count.
        is_everyday: the films are all that came, not a choice; only then the unscored ones mean anything.

    Raises:
        ValueError: no film was scored.
    """
    films = list(films)
    scored = [film for film in films if film.margin is not None]
    weighted = not is_everyday and any(film.stands_for != 1 for film in scored)
    margins = _distribution_of(scored, "margin", weighted)
    if margins is None:
        raise ValueError("a reference needs at least one scored film")
    return Reference(
        margins=margins,
        independent_films=patients or len(scored),
        brightness=_distribution_of(scored, "brightness", weighted),
        contrast=_distribution_of(scored, "contrast", weighted),
        views=_count(film.view for film in scored if film.view),
        films=len(films) if is_everyday else None,
        unscored=_count(film.code for film in films if film.margin is None) if is_everyday else {},
        looks=fit_looks(
            [film.looks for film in scored],
            [film.margin for film in scored if film.margin is not None],
            [film.abnormal for film in scored],
            [film.said_view or film.view for film in scored],
            patients=patients,
        ),
        kinds=_kinds(scored),
    )


def _kinds(scored: Sequence[ReferenceFilm]) -> Kinds | None:
    said = [film for film in scored if film.abnormal is not None]
    return Kinds.of(
        np.array([film.margin for film in said], np.float64),
        np.array([film.abnormal for film in said], np.bool_),
        np.array([film.stands_for for film in said], np.intp),
    )


def _distribution_of(scored: Sequence[ReferenceFilm], name: str, weighted: bool) -> Distribution | None:
    known = [film for film in scored if getattr(film, name) is not None]
    values = np.array([getattr(film, name) for film in known], np.float64)
    return Distribution.of(values, np.array([film.stands_for for film in known]) if weighted else None)


def _count(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


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
        "score_histogram": {
            "edges": (100 * edges).round(DECIMALS),
            "shares": said.histogram(edges).round(DECIMALS),
        },
        "margins": _stated(reference.margins),
        "brightness": _stated(reference.brightness),
        "contrast": _stated(reference.contrast),
        "views": reference.views,
        "films": reference.films,
        "unscored": reference.unscored,
        "looks": reference.looks,
        "kinds": reference.kinds
        and {"normal": _stated(reference.kinds.normal), "abnormal": _stated(reference.kinds.abnormal)},
    }


def _stated(kept: Distribution | None) -> dict[str, Any] | None:
    if kept is None:
        return None
    return {"films": kept.films, "quantiles": kept.quantiles.round(DECIMALS)}


@dataclass(frozen=True)
class _StatedDistribution:
    films: int
    quantiles: tuple[float, ...]

    def __post_init__(self) -> None:
        quantiles = self.quantiles
        if len(quantiles) < 2 or any(low > high for low, high in pairwise(quantiles)):
            raise ValueError("quantiles do not rise")

    def distribution(self) -> Distribution:
        return Distribution(self.films, np.array(self.quantiles, np.float64))


@dataclass(frozen=True)
class _StatedKinds:
    normal: _StatedDistribution
    abnormal: _StatedDistribution

    def kinds(self) -> Kinds:
        return Kinds(self.normal.distribution(), self.abnormal.distribution())


@dataclass(frozen=True)
class _StatedReference:
    independent_films: int
    margins: _StatedDistribution
    brightness: _StatedDistribution | None
    contrast: _StatedDistribution | None
    views: dict[str, int]
    films: int | None
    unscored: dict[str, int]
    looks: LooksReference | None = None
    kinds: _StatedKinds | None = None


@dataclass(frozen=True)
class _Stated:
    """What monitoring reads of calibration.json."""

    reference: _StatedReference


def read_reference(path: Path) -> Reference:
    """Read what monitoring compares with from a calibration.json.

    Raises:
        CalibrationError: the file is damaged, or states no reference.
    """
    try:
        stated = from_json(path.read_bytes(), _Stated).reference
    except (OSError, ValueError) as error:
        raise CalibrationError(
            f"calibration {path} has no reference to compare with ({error}); make it anew with "
            "`cxr-triage calibrate`, or give nights that were in order with --baseline"
        ) from error
    return Reference(
        margins=stated.margins.distribution(),
        independent_films=stated.independent_films,
        brightness=_distribution(stated.brightness),
        contrast=_distribution(stated.contrast),
        views=stated.views,
        films=stated.films,
        unscored=stated.unscored,
        looks=stated.looks,
        kinds=None if stated.kinds is None else stated.kinds.kinds(),
    )


def _distribution(stated: _StatedDistribution | None) -> Distribution | None:
    return None if stated is None else stated.distribution()
