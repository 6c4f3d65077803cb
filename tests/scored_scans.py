"""Output folders of scans whose scores were drawn, for tests that need no network."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_runtime.outcome import Outcome, Status
from cxr_runtime.store.rows import FinishedFilm, Place, StoredScore
from cxr_runtime.store.writer import StoreWriter

MODEL_SHA256 = "ab" * 32


def scored(
    file: str,
    margin: float,
    *,
    brightness: float = 0.5,
    contrast: float = 0.2,
    view: str = "",
    model_sha256: str = MODEL_SHA256,
) -> StoredScore:
    """A film with a score; its sha256 is that of its name."""
    outcome = Outcome(
        file,
        sha256(file.encode()).hexdigest(),
        Status.SCORED,
        view=view,
        model="m",
        model_sha256=model_sha256,
    )
    return StoredScore(outcome, margin, brightness, contrast, "2026-01-02T03:04:05+00:00")


def rejected(file: str, code: str) -> StoredScore:
    """A film that was read and not admitted."""
    outcome = Outcome(file, sha256(file.encode()).hexdigest(), Status.REJECTED, code, f"it is {code}")
    return StoredScore(outcome, None, None, None, "2026-01-02T03:04:05+00:00")


def drawn_scores(
    films: LabelledFilms, *, model_sha256: str = MODEL_SHA256, seed: int = 0
) -> list[StoredScore]:
    """A scan's rows for drawn films, `0.png`, `1.png` ..., brightness and contrast drawn as well."""
    random = np.random.default_rng(seed)
    return [
        scored(
            f"{number}.png",
            margin,
            brightness=float(random.normal(0.5, 0.05)),
            contrast=float(random.normal(0.2, 0.02)),
            model_sha256=model_sha256,
        )
        for number, margin in enumerate(films.margins.tolist())
    ]


def write_scan(folder: Path, scores: Sequence[StoredScore]) -> Path:
    """Put rows into the store of an output folder and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with StoreWriter.open(folder) as store:
        films = [
            FinishedFilm(Place(position, score.outcome.file, ""), score)
            for position, score in enumerate(scores, start=1)
        ]
        store.add(store.begin_run(), films, "drawn")
    return folder
