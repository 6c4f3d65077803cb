"""One night against the reference: what is compared, how far off it is, and whether that is chance."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxr_calibration.monitoring.reference import Reference, ReferenceFilm
from cxr_calibration.statistics.checked import Scores, Truth
from cxr_calibration.statistics.distributions import Distribution, stability_index, stability_p_value
from cxr_calibration.statistics.exact_tests import fisher_exact, kolmogorov_smirnov
from cxr_calibration.statistics.intervals import percent
from cxr_runtime.model.calibration import ProbabilityMap
from cxr_runtime.model.likeness import LEAST_FILMS, NEAR, compare

# With thousands of films a difference too small to matter is beyond chance too, so both are asked for.
SHARE_THAT_MATTERS = 0.03  # difference of two shares of films
DISTANCE_THAT_MATTERS = 0.10  # largest difference of two cumulative distributions
INDEX_THAT_MATTERS = 0.10  # population stability index: below it is called stable in practice
FLAGGED_SHARE = "flagged share"


@dataclass(frozen=True)
class Check:
    """One comparison."""

    name: str  # e.g. flagged share
    value: float
    expected: float  # of the reference; 0 for distances
    films: int  # it is taken from
    reference_films: int  # it is compared with
    p_value: float  # chance of so much difference where nothing has changed
    matters: bool  # large enough to matter, whatever the chance
    sentence: str

    def alarms(self, level: float) -> bool:
        """Whether it is both beyond chance at that level and large enough to matter."""
        return self.matters and self.p_value < level


@dataclass(frozen=True)
class Threshold:
    """What flags a film."""

    probability_map: ProbabilityMap
    value: float  # probability

    def flags(self, margins: Scores) -> Truth:
        """(N,) bool, whether each film is flagged."""
        return np.asarray(self.probability_map.probability(margins) >= self.value, np.bool_)


def check_night(
    films: Sequence[ReferenceFilm], reference: Reference, threshold: Threshold
) -> tuple[Check, ...]:
    """Compare a night's films with the reference; what either of them does not know is not compared.

    Args:
        films: of the night, scored or not.
        reference: what films looked like when all was well.
        threshold: of the operating point in use.
    """
    scored = [film for film in films if film.margin is not None]
    margins = np.array([film.margin for film in scored], np.float64)
    checks: list[Check] = []
    if margins.size:
        checks += [
            _flagged(margins, reference, threshold),
            _distance("scores", margins, reference.margins, reference),
            _stability(margins, reference),
        ]
    for name in ("brightness", "contrast"):
        kept: Distribution | None = getattr(reference, name)
        values = [getattr(film, name) for film in scored if getattr(film, name) is not None]
        if kept is not None and values:
            checks.append(_distance(name, np.array(values, np.float64), kept, reference))
    return (
        *checks, *_looks(scored, reference), *_views(scored, reference), *_unscored(films, reference)
    )  # fmt: skip


def _flagged(margins: Scores, reference: Reference, threshold: Threshold) -> Check:
    share = float(threshold.flags(reference.margins.quantiles).mean())
    of = reference.independent_films
    return share_check(
        FLAGGED_SHARE, int(threshold.flags(margins).sum()), margins.size, round(share * of), of
    )


def _distance(name: str, values: Scores, kept: Distribution, reference: Reference) -> Check:
    below = kept.share_below(np.sort(values))
    steps = np.arange(values.size + 1) / values.size
    distance = float(max(np.abs(below - steps[:-1]).max(), np.abs(below - steps[1:]).max()))
    return Check(
        name=f"{name} (KS)",
        value=distance,
        expected=0.0,
        films=values.size,
        reference_films=reference.independent_films,
        p_value=kolmogorov_smirnov(distance, reference.independent_films, values.size),
        matters=distance >= DISTANCE_THAT_MATTERS,
        sentence=f"the distribution of {name} is {distance:.2f} away from the reference (Kolmogorov-Smirnov)",
    )


def _stability(margins: Scores, reference: Reference) -> Check:
    index = stability_index(reference.margins, margins)
    return Check(
        name="scores (PSI)",
        value=index,
        expected=0.0,
        films=margins.size,
        reference_films=reference.independent_films,
        p_value=stability_p_value(index, reference.independent_films, margins.size),
        matters=index >= INDEX_THAT_MATTERS,
        sentence=f"the population stability index of the scores is {index:.2f}",
    )


def _looks(scored: Sequence[ReferenceFilm], reference: Reference) -> list[Check]:
    """All looks at once, as a scan compares them."""
    measured = [(film.looks, film.margin) for film in scored if film.looks and film.margin is not None]
    known = reference.looks
    if known is None or not known.is_todays or len(measured) < LEAST_FILMS:
        return []
    distance, chance = compare(known, [looks for looks, _ in measured], [margin for _, margin in measured])
    return [
        Check(
            name="looks",
            value=distance,
            expected=0.0,
            films=len(measured),
            reference_films=known.films,
            p_value=chance,
            matters=distance >= NEAR,
            sentence=f"films look {distance:.1f} standard deviations away from those of the reference",
        )
    ]


def _views(scored: Sequence[ReferenceFilm], reference: Reference) -> list[Check]:
    """Each view's share, where both the reference's films and the night's state their views."""
    of, known = sum(reference.views.values()), [film.view for film in scored if film.view]
    if not of or not known:
        return []
    views = sorted(reference.views | dict.fromkeys(known, 0))
    compared = views[1:] if len(views) == 2 else views  # of two shares one says it all
    return [
        share_check(f"view {view}", known.count(view), len(known), reference.views.get(view, 0), of)
        for view in compared
    ]


def _unscored(films: Sequence[ReferenceFilm], reference: Reference) -> list[Check]:
    """The share of films without a score, all together and by code."""
    if reference.films is None or not films:
        return []
    codes = [film.code for film in films if film.margin is None]
    expected = sum(reference.unscored.values())
    checks = [share_check("films without a score", len(codes), len(films), expected, reference.films)]
    for code in sorted(set(codes) | set(reference.unscored)):
        before = reference.unscored.get(code, 0)
        checks.append(share_check(f"code {code}", codes.count(code), len(films), before, reference.films))
    return checks


def share_check(
    name: str, found: int, films: int, expected: int, of: int, *, one_sided: bool = False
) -> Check:
    """Compare a share with the reference's.

    Args:
        name: of the share.
        found: films of the night that have the property.
        films: of the night, above 0.
        expected: films of the reference that have it.
        of: films of the reference, above 0.
        one_sided: only a smaller share than expected can alarm.
    """
    now, then = found / films, expected / of
    off = then - now if one_sided else abs(now - then)
    return Check(
        name=name,
        value=now,
        expected=then,
        films=films,
        reference_films=of,
        p_value=fisher_exact(found, films, expected, of, one_sided=one_sided),
        matters=off >= SHARE_THAT_MATTERS,
        sentence=f"{name} is {percent(now)} ({found} of {films}), expected {percent(then)}",
    )


def share_limits(check: Check, level: float) -> tuple[float, float]:
    """The least and greatest share that a night of so many films may have without an alarm.

    Args:
        check: a comparison of shares, from `share_check`.
        level: p-value below which it alarms.

    Returns:
        (low, high), 0..1.
    """
    films, of = check.films, check.reference_films
    usual = round(check.expected * films)

    def is_quiet(found: int) -> bool:
        return not share_check(check.name, found, films, round(check.expected * of), of).alarms(level)

    low = bisect_left(range(usual + 1), True, key=is_quiet)
    high = films - bisect_left(range(films - usual + 1), True, key=lambda fewer: is_quiet(films - fewer))
    return low / films, high / films
