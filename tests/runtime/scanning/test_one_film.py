from pathlib import Path

import numpy as np
import pytest

import cxr_runtime
from cxr_runtime.errors import UsageError
from cxr_runtime.files import ReportFormat
from cxr_runtime.scanning.options import ScanOptions

EXAMPLE = Path(__file__).parents[3] / "examples" / "opacity-left-upper.jpg"


def test_an_array_gets_the_number_and_the_heat_of_a_scan(tmp_path: Path) -> None:
    formats = frozenset({ReportFormat.NPZ})
    options = ScanOptions(out=tmp_path, backend="onnxruntime", workers=1, formats=formats)
    scanned = next(iter(cxr_runtime.scan([EXAMPLE], options).outcomes()))
    said = cxr_runtime.open_model().score(cxr_runtime.read_film(EXAMPLE.read_bytes()).pixels)
    assert said.probability == pytest.approx(scanned.probability, abs=1e-5)
    with np.load(next((tmp_path / "heatmaps").glob("*.npz"))) as kept:
        np.testing.assert_allclose(said.heat, kept["heat"], atol=1e-3)


def test_what_is_no_film_is_refused_in_a_sentence() -> None:
    model = cxr_runtime.open_model()
    with pytest.raises(UsageError, match=r"pixels are float64 of shape \(64, 64\); expected uint8"):
        model.score(np.zeros((64, 64)))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"takes the bytes of a file; give Path\('film.png'\).read_bytes"):
        cxr_runtime.read_film(Path("film.png"))  # type: ignore[arg-type]
