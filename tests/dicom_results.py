"""DICOM results of drawn films, made without a scan."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

from cxr_runtime.access import PRIVATE
from cxr_runtime.files import DICOM_FOLDER
from cxr_runtime.heat.overlay import heat_layer, thumbnail_jpeg
from cxr_runtime.model.calibration import Calibration, OperatingPoint
from cxr_runtime.outcome import Outcome
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_jpeg
from cxr_runtime.reading import read_film
from cxr_runtime.reading.dicom.study import study_header
from cxr_runtime.reports.dicom.results import ResultFiles, ScoredFilm
from cxr_runtime.reports.dicom.settings import Settings
from cxr_runtime.reports.dicom.source import SourceFilm
from cxr_runtime.reports.exhibit import Picture
from cxr_runtime.store.rows import RunFacts
from drawn_exhibits import HEAT_THRESHOLD, RUN, scored
from study_films import study_film

HW = (256, 208)
MADE = datetime(2026, 3, 4, 22, 1, 2, tzinfo=UTC)
POINT = OperatingPoint("balanced", RUN.threshold)
CALIBRATION = Calibration(
    RUN.model_sha256, "1", "fp32", "full", method="temperature", operating_points=(POINT,)
)


def settings(facts: RunFacts = RUN, **changes: Any) -> Settings:
    usual: dict[str, Any] = {"calibration": CALIBRATION, "point": POINT, "fingerprint": "f"}
    return Settings.of(facts, **(usual | changes), lung_outline=False)


def heat() -> NDArray[np.float32]:
    warm = np.zeros((64, 52), np.float32)
    warm[16:24, 10:18], warm[40:44, 36:40] = 0.9, 0.6
    return warm


def outcome(**changes: Any) -> Outcome:
    return replace(scored("film.dcm", 0.8125).outcome, **changes)


def film(content: bytes | None = None, warm: bool = True, **changes: Any) -> ScoredFilm:
    content = content or study_film(hw=HW)
    shown, row = draw_phantom(0, hw=HW), outcome(**changes)
    seen = heat() if warm else np.zeros((64, 52), np.float32)
    layer = heat_layer(seen, HW, HEAT_THRESHOLD)
    picture = Picture(encode_jpeg(shown), HW, layer, thumbnail_jpeg(shown, seen, HEAT_THRESHOLD))
    source = SourceFilm(study_header(content), read_film(content).facts, row)
    return ScoredFilm(source, shown, seen, picture, ())


def written(out: Path, what: ScoredFilm | None = None, how: Settings | None = None) -> dict[str, Dataset]:
    (out / DICOM_FOLDER).mkdir(exist_ok=True)
    made = ResultFiles(out, how or settings(), PRIVATE).write(what or film(), lambda _: MADE)
    return {each.kind: dcmread(out / each.file) for each, _ in made}
