"""Ways to put a site's scores on the scale of a calibration without a label, tried on sites with labels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.fit.unlabelled import expect, fit_mixture, over_all
from cxr_calibration.labels.site_films import ABNORMAL, NORMAL, SiteFilms
from cxr_calibration.monitoring.foreign_nights import reference_of
from cxr_calibration.statistics.checked import Scores
from cxr_calibration.statistics.distributions import Kinds
from cxr_calibration.statistics.intervals import Estimate, percent, wilson
from cxr_calibration.statistics.smoothed import best_smoothed_margin
from cxr_runtime.errors import UsageError
from cxr_runtime.markdown import markdown_table
from cxr_runtime.model.likeness import CHANCE, LooksReference, compare

PREVALENCES = (0.02, 0.05, 0.2, 0.5, 0.8)
FILMS = 200  # of a site, without a label
LEAST_OF_A_VIEW = 20  # films of a view and kind that tell how they are called
LEAST_OF_A_KIND = 50  # films that a site needs to be tried on, or learned from


@dataclass(frozen=True)
class Home:
    """A site with labels, as a calibration knows it."""

    films: SiteFilms = field(repr=False)
    kinds: Kinds = field(repr=False)
    looks: LooksReference = field(repr=False)
    threshold: float  # margin: where sensitivity + specificity is greatest, smoothed
    sensitivity: Estimate
    specificity: Estimate

    @classmethod
    def of(cls, films: SiteFilms) -> "Home":
        """Learn a site; it has LEAST_OF_A_KIND films of both kinds."""
        truth = films.kinds == ABNORMAL
        threshold = best_smoothed_margin(films.margins, truth)
        kinds = Kinds.of(films.margins, truth)
        assert kinds is not None
        return cls(
            films, kinds, reference_of(films), threshold,
            _by_view(films, threshold, ABNORMAL), _by_view(films, threshold, NORMAL),
        )  # fmt: skip


def _by_view(films: SiteFilms, threshold: float, kind: int) -> Estimate:
    """The share of films of a kind that are called rightly; the interval covers those of all views."""
    of_kind = films.of(films.kinds == kind)
    right = (of_kind.margins >= threshold) == (kind == ABNORMAL)
    views = [of_kind.views == view for view in np.unique(of_kind.views)]
    parts = [
        wilson(int(right[view].sum()), int(view.sum())) for view in views if view.sum() >= LEAST_OF_A_VIEW
    ]
    return over_all(wilson(int(right.sum()), right.size), parts)


Way = Callable[[Home, SiteFilms], float]  # what to add to the threshold


def _lower_mode(home: Home, site: SiteFilms) -> float:
    return _mode(site.margins) - _mode(home.films.margins[home.films.kinds == NORMAL])


def _low_quantile(home: Home, site: SiteFilms) -> float:
    normal = home.films.margins[home.films.kinds == NORMAL]
    return float(np.quantile(site.margins, 0.3) - np.quantile(normal, 0.3))


def _median(home: Home, site: SiteFilms) -> float:
    return float(np.median(site.margins) - np.median(home.films.margins))


def _two_populations(home: Home, site: SiteFilms) -> float:
    return fit_mixture(home.kinds, site.margins).shift.value


def _looks(home: Home, site: SiteFilms) -> float:
    """By how much normal films of home would score otherwise if they looked like those of the site."""
    normal = home.films.of(home.films.kinds == NORMAL)
    middle, spread = normal.looks.mean(axis=0), normal.looks.std(axis=0) + 1e-6
    scaled = (normal.looks - middle) / spread
    slopes = np.linalg.solve(
        scaled.T @ scaled + 0.1 * len(normal) * np.eye(scaled.shape[1]),
        scaled.T @ (normal.margins - normal.margins.mean()),
    )
    return float(((site.looks.mean(axis=0) - middle) / spread) @ slopes)


WAYS: dict[str, Way] = {
    "as they are": lambda _home, _site: 0.0,
    "lower mode": _lower_mode,
    "30 % quantile": _low_quantile,
    "median": _median,
    "two populations (EM)": _two_populations,
    "looks": _looks,
}


def ways_table(sites: Mapping[str, SiteFilms], *, draws: int = 20, seed: int = 0) -> str:
    """Every site as home, every other one as the site without labels; a table as markdown.

    Args:
        sites: by name, with labels; those of fewer than LEAST_OF_A_KIND films of a kind are left out.
        draws: of FILMS films, for each of PREVALENCES.
        seed: of the draws.

    Returns:
        How far sensitivity and specificity at the moved threshold lie from what home promises, in points: the
        mean of the absolute differences.

    Raises:
        UsageError: no two sites have films enough.
    """
    random = np.random.default_rng(seed)
    known = {name: films for name, films in sites.items() if films.has_both_kinds(LEAST_OF_A_KIND)}
    if len(known) < 2:
        raise UsageError(f"{len(known)} sites have {LEAST_OF_A_KIND} films of both kinds; expected 2 or more")
    homes = {name: Home.of(films) for name, films in known.items()}
    rows = [
        [f"{name} to {other}", *_tried(home, films, draws, random)]
        for name, home in homes.items()
        for other, films in known.items()
        if other != name
    ]
    return markdown_table(["from, to", "called foreign", *WAYS], rows)


def coverage_table(home: SiteFilms, *, draws: int = 20, seed: int = 0) -> str:
    """How often what is expected at the same hospital holds: half of its patients make the calibration.

    Args:
        home: with labels, patients and views.
        draws: as of `ways_table`, for each row.
        seed: likewise.

    Returns:
        For each kind of films and share of abnormal ones, how often the sensitivity and specificity that were
        found lie within their intervals, and how wide these are; as markdown.
    """
    random = np.random.default_rng(seed)
    rows = []
    for name, view in (("all films", None), ("PA alone", "PA"), ("AP alone", "AP")):
        for prevalence in PREVALENCES:
            found = []
            for _ in range(draws):
                patients = random.permutation(np.unique(home.patients))
                is_home = np.isin(home.patients, patients[: len(patients) // 2])
                known = Home.of(home.of(is_home))
                rest = home.of(~is_home if view is None else ~is_home & (home.views == view))
                found.append(_covered(known, rest, prevalence, random))
            shares = np.array(found, np.float64).mean(axis=0)
            rows.append([name, percent(prevalence), *(percent(share) for share in shares)])
    head = ["films", "abnormal", "sensitivity within", "width", "specificity within", "width"]
    return markdown_table(head, rows)


def _covered(
    home: Home, films: SiteFilms, prevalence: float, random: np.random.Generator
) -> tuple[float, float, float, float]:
    drawn = films.of(_drawn(films, prevalence, random))
    said = expect(home.kinds, home.threshold, home.sensitivity, home.specificity, drawn.margins)
    found, cleared = _at(films, home.threshold)
    return (
        float(said.sensitivity.low <= found <= said.sensitivity.high),
        said.sensitivity.high - said.sensitivity.low,
        float(said.specificity.low <= cleared <= said.specificity.high),
        said.specificity.high - said.specificity.low,
    )


def _tried(home: Home, films: SiteFilms, draws: int, random: np.random.Generator) -> list[str]:
    errors: dict[str, list[tuple[float, float]]] = {name: [] for name in WAYS}
    foreign = []
    for prevalence in PREVALENCES:
        for _ in range(draws):
            drawn = films.of(_drawn(films, prevalence, random))
            looks = [tuple(row) for row in drawn.looks.tolist()]
            foreign.append(compare(home.looks, looks, drawn.margins.tolist())[1] < CHANCE)
            for name, way in WAYS.items():
                found, cleared = _at(films, home.threshold + way(home, drawn))
                missed = abs(found - home.sensitivity.value), abs(cleared - home.specificity.value)
                errors[name].append(missed)
    means = [np.mean(np.array(each), axis=0) * 100 for each in errors.values()]
    return [percent(float(np.mean(foreign))), *(f"{found:.0f} / {cleared:.0f}" for found, cleared in means)]


def _at(films: SiteFilms, threshold: float) -> tuple[float, float]:
    flagged = films.margins >= threshold
    return float(flagged[films.kinds == ABNORMAL].mean()), float((~flagged)[films.kinds == NORMAL].mean())


def _drawn(films: SiteFilms, prevalence: float, random: np.random.Generator) -> NDArray[np.intp]:
    abnormal = int(random.binomial(FILMS, prevalence))
    rows: Sequence[NDArray[np.intp]] = [np.flatnonzero(films.kinds == kind) for kind in (ABNORMAL, NORMAL)]
    return np.concatenate([random.choice(rows[0], abnormal), random.choice(rows[1], FILMS - abnormal)])


def _mode(margins: Scores) -> float:
    """The lowest peak of a density that is at least 0.4 times as high as the highest."""
    grid = np.linspace(float(margins.min()), float(margins.max()), 200)
    density = np.exp(-0.5 * ((grid[:, None] - margins) / 0.5) ** 2).sum(axis=1)
    inner = density[1:-1]
    peaks = np.flatnonzero((inner > density[:-2]) & (inner >= density[2:]) & (inner > 0.4 * density.max()))
    return float(grid[1 + peaks[0]] if peaks.size else grid[int(np.argmax(density))])
