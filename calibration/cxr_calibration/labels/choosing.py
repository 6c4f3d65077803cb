"""Which films of a scan to read, so that few labels say most: more of the high scores, with their weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.labels.film_csv import csv_bytes
from cxr_calibration.statistics.checked import Scores
from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import UsageError
from cxr_runtime.store.rows import StoredScore

# Shares of the films, by rising score, at which a stratum ends; as many films are read in each. Where few
# films are abnormal, most of these have high scores, and those below tell little more.
STRATA = (0.4, 0.6, 0.75, 0.85, 0.93)
LEAST_CHOSEN = 30
TO_READ_FILE = "to-read.csv"


@dataclass(frozen=True)
class Chosen:
    """Films to read, in the order in which they are to be read."""

    rows: NDArray[np.intp]  # (N,) of the scored films
    weights: Scores  # (N,) how many films of the scan each stands for


def choose(margins: Scores, films: int, seed: int = 0) -> Chosen:
    """Draw films, the same number in each stratum of the scores; in an order that says nothing of them.

    Args:
        margins: (M,) of all scored films.
        films: how many to choose, at most M.
        seed: of the draw.
    """
    random = np.random.default_rng(seed)
    ranks = np.argsort(np.argsort(margins, kind="stable"), kind="stable") / margins.size
    stratum = np.digitize(ranks, STRATA)
    strata = sorted((np.flatnonzero(stratum == which) for which in np.unique(stratum)), key=len)
    rows, weights, left = list[NDArray[np.intp]](), list[Scores](), films
    for place, there in enumerate(strata):
        count = min(there.size, round(left / (len(strata) - place)))
        left -= count
        if count:
            rows.append(random.choice(there, count, replace=False))
            weights.append(np.full(count, there.size / count))
    order = random.permutation(sum(part.size for part in rows))
    return Chosen(np.concatenate(rows)[order], np.concatenate(weights)[order])


def write_films_to_read(scores: Sequence[StoredScore], films: int, path: Path, seed: int = 0) -> int:
    """Write a labels file without labels, for a reader to fill in; no score is in it.

    Args:
        scores: rows of a scan.
        films: how many to choose.
        path: of the file; never replaced, for somebody may have filled it in.
        seed: of the draw.

    Returns:
        How many films the scan has scored.

    Raises:
        UsageError: the file is there, or the scan has too few films, or too few are asked for.
    """
    scored = list({score.outcome.sha256: score for score in scores if score.margin is not None}.values())
    if not LEAST_CHOSEN <= films <= len(scored):
        raise UsageError(
            f"{films} films cannot be chosen of {len(scored)} that are scored; expected {LEAST_CHOSEN} or "
            "more, and a scan with at least as many"
        )
    if path.exists():
        raise UsageError(f"{path} is there already, and may hold labels; rename it, or choose another --out")
    margins = np.array([score.margin for score in scored], np.float64)
    chosen = choose(margins, films, seed)
    lines = [
        (scored[row].outcome.file, scored[row].outcome.sha256, "", f"{weight:.4f}")
        for row, weight in zip(chosen.rows.tolist(), chosen.weights.tolist(), strict=True)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, csv_bytes([("file", "sha256", "label", "weight"), *lines]))
    return len(scored)
