"""Scores for labelled films: from a scan that was made, or made for the purpose."""

from collections.abc import Sequence
from pathlib import Path

from cxr_runtime.errors import CalibrationError
from cxr_runtime.model.folder import Model
from cxr_runtime.model.known_films import KnownFilms
from cxr_runtime.progress import Progress
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.session import Session
from cxr_runtime.sources.find import find_films
from cxr_runtime.store.rows import StoredScore
from cxr_runtime.store.store import read_scores


def score_films(model: Model, films: Sequence[Path], progress: Progress) -> list[StoredScore]:
    """Score films with the model as it is, calibrated or not; nothing is written.

    Args:
        model: scores them.
        films: files that exist.
        progress: hears of every film.

    Returns:
        A row for each different film, scored or not.

    Raises:
        BackendError: no backend is usable.
    """
    found = find_films([str(film) for film in films], exclude=None)
    options = ScanOptions(model=model.folder, allow_uncalibrated=True)
    with Session.open(options) as session:
        progress.begin("scoring films", len(found.sources))
        for _ in session.screen(found.sources):
            progress.advance()
        progress.end()
        return session.scores()


def scores_of_scan(model: Model, folder: Path, *, every: bool = False) -> list[StoredScore]:
    """The rows of a scan that was made with this very model.

    Args:
        model: whose scores they are.
        folder: of the scan.
        every: all films of the store that this model has scored, whenever that was.

    Raises:
        StoreError: the folder holds no scan.
        CalibrationError: another model made some of its scores.
    """
    scores = read_scores(folder, every=every)
    if every:
        return [score for score in scores if score.outcome.model_sha256 in ("", model.manifest.model_sha256)]
    for score in scores:
        found = score.outcome.model_sha256
        if score.margin is not None and found != model.manifest.model_sha256:
            raise CalibrationError(
                f"the scan {folder} was made with another model (sha256 {found[:12]}...) than the one that "
                f"this calibration is for ({model.manifest.model_sha256[:12]}...); scan again with this one"
            )
    return scores


def unknown_films(scores: Sequence[StoredScore], known: KnownFilms | None) -> list[StoredScore]:
    """The rows of films that the model has not learned from; all of them where nobody knows these."""
    return [score for score in scores if known is None or not known.knows(score.outcome.sha256)]
