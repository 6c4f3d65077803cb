"""Scores for labelled films: from a scan that was made, or from one made for the purpose."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from cxr_runtime.errors import CalibrationError
from cxr_runtime.model.folder import Model
from cxr_runtime.progress import Progress
from cxr_runtime.scanning.session import ScanOptions, scan
from cxr_runtime.store.store import StoredScore, read_scores


def score_films(model: Model, films: Sequence[Path], progress: Progress) -> list[StoredScore]:
    """Scan films without reports, with the model as it is, calibrated or not.

    Args:
        model: scores them.
        films: files that exist.
        progress: told of every film.

    Returns:
        A row for each different film, scored or not.

    Raises:
        BackendError: no backend is usable.
        StoreError: there is no room for temporary files.
    """
    with TemporaryDirectory(prefix="cxr-calibrate-") as folder:
        options = ScanOptions(
            out=Path(folder) / "scan", model=model.folder, formats=frozenset(), allow_uncalibrated=True
        )
        scan(films, options, progress)
        return read_scores(Path(folder) / "scan")


def scores_of_scan(model: Model, folder: Path) -> list[StoredScore]:
    """The rows of a scan that was made with this very model.

    Raises:
        StoreError: the folder holds no scan.
        CalibrationError: another model made some of its scores.
    """
    scores = read_scores(folder)
    for score in scores:
        found = score.outcome.model_sha256
        if score.margin is not None and found != model.manifest.model_sha256:
            raise CalibrationError(
                f"the scan {folder} was made with another model (sha256 {found[:12]}...) than the one that "
                f"this calibration is for ({model.manifest.model_sha256[:12]}...); scan again with this one"
            )
    return scores
