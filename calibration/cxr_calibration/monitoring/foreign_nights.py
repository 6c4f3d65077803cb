"""How often a scan calls nights foreign: fresh nights of the calibration's hospital, and of others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cxr_calibration.labels.site_films import ABNORMAL, NORMAL, NOT_KNOWN, SiteFilms
from cxr_calibration.monitoring.looks import fit_looks
from cxr_calibration.statistics.intervals import percent_interval, wilson
from cxr_runtime.errors import UsageError
from cxr_runtime.markdown import markdown_table
from cxr_runtime.model.likeness import CHANCE, LooksReference, compare

SIZES = (10, 20, 50, 100, 200)  # films a night
SCREENING = 0.05  # share of abnormal films in a night of screening


@dataclass(frozen=True)
class NightKind:
    """Films that a night is drawn from."""

    name: str
    films: SiteFilms = field(repr=False)
    abnormal: float | None = None  # share of abnormal films to draw; None: as they come


def foreign_table(
    home: SiteFilms,
    away: Mapping[str, SiteFilms],
    *,
    nights: int = 300,
    sizes: Sequence[int] = SIZES,
    seed: int = 0,
) -> str:
    """Draw nights, and count those that are called foreign; a table as markdown.

    For each night the patients of `home` are halved: one half makes the reference, as a calibration would,
    and nights of home are drawn from the other.

    Args:
        home: films of the hospital of the calibration, with labels.
        away: films of other hospitals, by name; nights of normal films alone are drawn, too, where labels are
            known.
        nights: of each kind and size.
        sizes: films a night.
        seed: of all draws.

    Raises:
        UsageError: home has too few films for a reference.
    """
    random = np.random.default_rng(seed)
    counts: dict[str, dict[int, int | None]] = {}
    for _ in range(nights):
        reference, fresh = _halves(home, random)
        for kind in (*_at_home(fresh), *_elsewhere(away)):
            for size in sizes:
                row = counts.setdefault(kind.name, {})
                called = _is_called_foreign(reference, kind, size, random)
                before = row.get(size, 0)
                row[size] = None if called is None or before is None else before + called
    rows = [[name, *(_share(row[size], nights) for size in sizes)] for name, row in counts.items()]
    return markdown_table(["nights called foreign", *(f"{size} films" for size in sizes)], rows)


def _halves(home: SiteFilms, random: np.random.Generator) -> tuple[LooksReference, SiteFilms]:
    patients = random.permutation(np.unique(home.patients))
    is_first = np.isin(home.patients, patients[: len(patients) // 2])
    return reference_of(home.of(is_first)), home.of(~is_first)


def reference_of(films: SiteFilms) -> LooksReference:
    """What a calibration on these films keeps of their looks.

    Raises:
        UsageError: there are too few.
    """
    found = fit_looks(
        [tuple(looks) for looks in films.looks.tolist()],
        films.margins.tolist(),
        [None if kind == NOT_KNOWN else kind == ABNORMAL for kind in films.kinds.tolist()],
        films.views.tolist(),
        patients=int(np.unique(films.patients).size),
    )
    if found is None:
        raise UsageError(f"{len(films)} films are too few for a reference; give more films of the hospital")
    return found


def _at_home(fresh: SiteFilms) -> Iterator[NightKind]:
    yield NightKind("same hospital: fresh films as they come", fresh)
    yield NightKind(f"same hospital: {SCREENING:.0%} abnormal", fresh, SCREENING)
    yield NightKind("same hospital: abnormal films alone", fresh.of(fresh.kinds == ABNORMAL))
    for view in ("PA", "AP"):
        yield NightKind(f"same hospital: {view} films alone", fresh.of(fresh.views == view))


def _elsewhere(away: Mapping[str, SiteFilms]) -> Iterator[NightKind]:
    for name, films in away.items():
        yield NightKind(f"{name}: films as they come", films)
        normal = films.of(films.kinds == NORMAL)
        if 0 < len(normal) < len(films):
            yield NightKind(f"{name}: normal films alone", normal)


def _is_called_foreign(
    reference: LooksReference, kind: NightKind, size: int, random: np.random.Generator
) -> bool | None:
    """Whether one night is; None where there are too few films to draw it."""
    if len(kind.films) < size:
        return None
    night = kind.films.of(_drawn(kind, size, random))
    _, chance = compare(reference, [tuple(looks) for looks in night.looks.tolist()], night.margins.tolist())
    return chance < CHANCE


def _drawn(
    kind: NightKind, size: int, random: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    if kind.abnormal is None:
        return random.choice(len(kind.films), size, replace=False)
    abnormal = int(random.binomial(size, kind.abnormal))
    rows = [np.flatnonzero(kind.films.kinds == which) for which in (ABNORMAL, NORMAL)]
    return np.concatenate(
        [random.choice(of, count) for of, count in zip(rows, (abnormal, size - abnormal), strict=True)]
    )


def _share(count: int | None, nights: int) -> str:
    return "-" if count is None else percent_interval(wilson(count, nights))
