"""Exhibits of drawn films, for tests of the reports."""

from datetime import UTC, datetime
from hashlib import sha256

import numpy as np

from cxr_runtime.heat.map import HeatMethod, HeatView
from cxr_runtime.heat.overlay import heat_layer, thumbnail_jpeg
from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_jpeg
from cxr_runtime.placement import CellGrid
from cxr_runtime.reports.exhibit import Exhibit, Picture
from cxr_runtime.store.rows import RunFacts

THRESHOLD = 0.47
HEAT_THRESHOLD = 0.35
LUNGS = tuple(
    ((x - 0.12, 0.2), (x + 0.12, 0.2), (x + 0.12, 0.7), (x - 0.12, 0.7)) for x in (0.32, 0.68)
)  # two boxes

RUN = RunFacts(
    product="cxr-triage 0.1.0",
    finished=datetime(2026, 3, 4, 21, 40, tzinfo=UTC),
    inputs=("night",),
    model="default",
    model_sha256="cd" * 32,
    licence="drawn for tests",
    backend="onnxruntime-cpu",
    is_calibrated=True,
    operating_point="balanced",
    threshold=THRESHOLD,
    is_met=True,
    sensitivity=0.87,
    specificity=0.81,
    heat=HeatView(HeatMethod.CAM, CellGrid(2.0, 4.0), HEAT_THRESHOLD, stretch=1.0, offset=0.0),
    sandbox="landlock 6, seccomp",
)


def picture(seed: int = 0, *, is_scored: bool = True, hw: tuple[int, int] = (160, 128)) -> Picture:
    """A phantom with one warm spot."""
    film = draw_phantom(seed, hw=hw)
    if not is_scored:
        return Picture(encode_jpeg(film), hw, None, thumbnail_jpeg(film, None, HEAT_THRESHOLD))
    heat = np.zeros((20, 16), np.float32)
    heat[5:9, 3:6] = 0.95
    thumbnail = thumbnail_jpeg(film, heat, HEAT_THRESHOLD)
    return Picture(encode_jpeg(film), hw, heat_layer(heat, hw, HEAT_THRESHOLD), thumbnail, LUNGS)


def scored(
    file: str,
    probability: float,
    *,
    code: str = "",
    message: str = "",
    lung_heat_share: float | None = 0.9,
    has_picture: bool = True,
) -> Exhibit:
    """A scored film: flagged from THRESHOLD on, to review shortly below it."""
    triage = Triage.FLAGGED if probability >= THRESHOLD else Triage.NOT_FLAGGED
    if THRESHOLD - 0.05 <= probability < THRESHOLD:
        triage = Triage.REVIEW
    digest = sha256(file.encode(errors="surrogatepass")).hexdigest()
    outcome = Outcome(
        file, digest, Status.SCORED, code, message, probability, triage, THRESHOLD, "balanced", "PA",
        lung_heat_share, "default", "cd" * 32, "onnxruntime-cpu", 0.05,
    )  # fmt: skip
    shown = picture(int(digest[:4], 16)) if has_picture else None
    return Exhibit(outcome, shown, f"film-{digest[:12]}")


def rejected(file: str, code: str = "lateral", message: str = "this is a side view: read it") -> Exhibit:
    """A film that was read and not scored."""
    outcome = Outcome(file, "ab" * 32, Status.REJECTED, code, message, view="LATERAL")
    return Exhibit(outcome, picture(is_scored=False), "rejected-abababababab")


def failed(file: str, code: str = "truncated", message: str = "it ends too soon: copy it again") -> Exhibit:
    """A file that could not be read."""
    return Exhibit(Outcome(file, "", Status.FAILED, code, message), None, "failed")
