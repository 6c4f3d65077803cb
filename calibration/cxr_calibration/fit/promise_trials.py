"""How far a promise is off, and how far one that is founded on more films: simulated.

Films are drawn from those that two networks have scored. A film is drawn with a margin that the second one
gave, here or elsewhere. The first one's margin is drawn as a line through the films that both have scored,
and what one of these films is off it.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.fit.wider import Beside, flagged_share
from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_calibration.statistics.checked import Scores
from cxr_calibration.statistics.smoothed import best_smoothed_margin
from cxr_runtime.markdown import markdown_table

POPULATION = 200_000  # films that stand for all there are
JUDGES = 700  # films that a promise is judged by
AS_HARD = 0.005  # how near to the correction here that of a draw is, to count as equally hard films
WITHIN = 0.05  # of what the judges show
HEAD = (
    "promised by",
    "draws",
    "too low by, points",
    "missed by (root mean square)",
    f"within 5 points of what {JUDGES} films show",
)


@dataclass(frozen=True)
class _Kind:
    """The films of one class."""

    beside: Scores = field(repr=False)  # the second network's margins, here and elsewhere
    line: NDArray[np.float64]  # (2,) slope and intercept of the first one's margins on these
    off: Scores = field(repr=False)  # what films are off the line
    films: int  # that set the threshold
    compared: int  # of these, that the second network scored
    elsewhere: int
    moved: float  # by how much the share flagged is corrected

    def draw(self, films: int, random: np.random.Generator) -> tuple[Scores, Scores]:
        """Margins of both networks."""
        beside = random.choice(self.beside, films)
        return self.line[0] * beside + self.line[1] + random.choice(self.off, films), beside


def promise_table(films: LabelledFilms, beside: Beside, *, draws: int = 2000, seed: int = 0) -> str:
    """Two rows for each measure of all draws, and two of draws in which films are as hard as here; markdown.

    Args:
        films: N films that set a threshold.
        beside: another network's margins of some of them, and of more.
        draws: for each measure.
        seed: of the draws.
    """
    random, rows = np.random.default_rng(seed), []
    threshold = best_smoothed_margin(films.margins, films.truth)
    for name, abnormal in (("sensitivity", True), ("specificity", False)):
        kind = _kind(films, beside, abnormal, threshold)
        true = float((kind.draw(POPULATION, random)[0] >= threshold).mean())
        trials = np.array([_trial(kind, threshold, random) for _ in range(draws)])
        sign = 1 if abnormal else -1
        hard = np.abs(trials[:, 1] - trials[:, 0] - kind.moved) < AS_HARD
        for which, said in ((np.ones_like(hard), ""), (hard, ", films as hard as here")):
            for column, way in ((0, "the films themselves"), (1, "corrected")):
                missed = sign * (trials[which, column] - true)
                judged = missed + random.normal(size=missed.size) * np.sqrt(true * (1 - true) / JUDGES)
                rows.append([f"{name}: {way}{said}", *_row(missed, judged)])
    return markdown_table(HEAD, rows)


def _row(missed: NDArray[np.float64], judged: NDArray[np.float64]) -> list[str]:
    if not missed.size:
        return ["0", "-", "-", "-"]
    off = float(np.sqrt((missed**2).mean()))
    within = float((np.abs(judged) <= WITHIN).mean())
    too_low = round(-100 * float(missed.mean()), 1) + 0.0  # never -0.0
    return [f"{missed.size}", f"{too_low:.1f}", f"{100 * off:.1f}", f"{100 * within:.0f} of 100"]


def _kind(films: LabelledFilms, beside: Beside, abnormal: bool, threshold: float) -> _Kind:
    of_class, elsewhere = films.truth == abnormal, beside.elsewhere
    both, more = of_class & np.isfinite(beside.here), elsewhere.truth == abnormal
    line = np.polyfit(beside.here[both], films.margins[both], 1)
    here, there = beside.here[both], elsewhere.margins[more]
    flagged = films.margins >= threshold
    return _Kind(
        beside=np.concatenate([here, there]),
        line=line,
        off=films.margins[both] - np.polyval(line, here),
        films=int(of_class.sum()),
        compared=here.size,
        elsewhere=there.size,
        moved=flagged_share(flagged, films, beside, abnormal).value - float(flagged[of_class].mean()),
    )


def _trial(kind: _Kind, threshold: float, random: np.random.Generator) -> tuple[float, float]:
    """The share flagged of films that are drawn, and the same corrected."""
    margins, beside = kind.draw(kind.films, random)
    _, more = kind.draw(kind.elsewhere, random)
    beside[kind.compared :] = np.nan
    flagged, drawn = margins >= threshold, _labelled(margins)
    found = flagged_share(flagged, drawn, Beside(beside, _labelled(more)), abnormal=True)
    return float(flagged.mean()), found.value


def _labelled(margins: Scores) -> LabelledFilms:
    """Films of one class, each of another patient."""
    return LabelledFilms(margins, np.ones(margins.size, np.bool_), np.arange(margins.size).astype(np.str_))
