"""How well a threshold is known from 60 labels: films chosen by score, against films taken at random."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cxr_calibration.labels.choosing import Chosen, choose
from cxr_calibration.labels.site_films import ABNORMAL, NORMAL, SiteFilms
from cxr_calibration.statistics.checked import Scores, Truth
from cxr_calibration.statistics.intervals import percent
from cxr_calibration.statistics.roc import roc_curve
from cxr_calibration.statistics.smoothed import best_smoothed_margin
from cxr_runtime.markdown import markdown_table

PREVALENCES = (0.05, 0.1, 0.2, 0.5)
SCANNED = 500  # films
READ = 60  # of them
LEAST_OF_A_KIND = 50  # films that a site needs to be tried on


@dataclass(frozen=True)
class _Trial:
    """What one set of labels came to."""

    abnormal: int  # among the films that were read
    sensitivity_off: float  # of the best threshold of the site: estimate minus truth
    specificity_off: float
    lost: float  # sensitivity + specificity of the best threshold, minus those of the one that was chosen


def choosing_table(sites: Mapping[str, SiteFilms], *, draws: int = 200, seed: int = 0) -> str:
    """Draw scans, read 60 films of each in both ways; a table as markdown.

    Args:
        sites: by name; those of fewer than LEAST_OF_A_KIND films of a kind are left out.
        draws: scans, for each site and share of abnormal films.
        seed: of the draws.
    """
    random = np.random.default_rng(seed)
    rows = []
    for name, films in sites.items():
        if not films.has_both_kinds(LEAST_OF_A_KIND):
            continue
        margins, truth = _known(films)
        best = _best(margins, truth)
        for prevalence in PREVALENCES:
            for way in ("at random", "chosen"):
                trials = [_trial(margins, truth, best, prevalence, way, random) for _ in range(draws)]
                rows.append([name, percent(prevalence), way, *_row(trials)])
    head = ["films of", "abnormal", f"{READ} of {SCANNED} read", "abnormal among them", "sensitivity off",
            "specificity off", "lost by the threshold"]  # fmt: skip
    return markdown_table(head, rows)


def _row(trials: list[_Trial | None]) -> list[str]:
    done = [trial for trial in trials if trial is not None]
    table = np.array([(t.abnormal, t.sensitivity_off, t.specificity_off, t.lost) for t in done], np.float64)
    off = 100 * np.sqrt((table[:, 1:3] ** 2).mean(axis=0))
    return [f"{table[:, 0].mean():.0f}", *(f"{one:.0f}" for one in off), f"{100 * table[:, 3].mean():.1f}"]


def _trial(
    margins: Scores, truth: Truth, best: float, prevalence: float, way: str, random: np.random.Generator
) -> _Trial | None:
    """None where the films that were read are all of one kind."""
    abnormal = int(random.binomial(SCANNED, prevalence))
    rows = np.concatenate(
        [
            random.choice(np.flatnonzero(truth), abnormal),
            random.choice(np.flatnonzero(~truth), SCANNED - abnormal),
        ]
    )
    scanned, known = margins[rows], truth[rows]
    if way == "chosen":
        chosen = choose(scanned, READ, int(random.integers(1 << 31)))
    else:
        chosen = Chosen(random.choice(SCANNED, READ, replace=False), np.full(READ, SCANNED / READ))
    said, read = scanned[chosen.rows], known[chosen.rows]
    if read.all() or not read.any() or not known.any():
        return None
    weights = np.rint(chosen.weights)
    estimate, found = _shares(said, read, weights, best), _shares(scanned, known, np.ones(SCANNED), best)
    times = weights.astype(np.intp)
    balanced = best_smoothed_margin(np.repeat(said, times), np.repeat(read, times))
    reached = _shares(margins, truth, np.ones(margins.size), balanced)
    possible = _shares(margins, truth, np.ones(margins.size), best)
    return _Trial(
        int(read.sum()), estimate[0] - found[0], estimate[1] - found[1], sum(possible) - sum(reached)
    )


def _shares(margins: Scores, truth: Truth, weights: Scores, threshold: float) -> tuple[float, float]:
    """Sensitivity and specificity of weighted films."""
    flagged = margins >= threshold
    found = weights[truth & flagged].sum() / weights[truth].sum()
    cleared = weights[~truth & ~flagged].sum() / weights[~truth].sum()
    return float(found), float(cleared)


def _best(margins: Scores, truth: Truth) -> float:
    """The threshold of greatest sensitivity + specificity."""
    curve = roc_curve(margins, truth)
    return float(curve.thresholds[1 + int(np.argmax((curve.sensitivity + curve.specificity)[1:]))])


def _known(films: SiteFilms) -> tuple[Scores, Truth]:
    labelled = films.of((films.kinds == ABNORMAL) | (films.kinds == NORMAL))
    return labelled.margins, labelled.kinds == ABNORMAL
