from pathlib import Path

import cv2
import numpy as np
import pytest

from cxr_calibration.gamma import main, through_gamma, write_films
from cxr_runtime.errors import UsageError
from cxr_runtime.phantom import draw_phantom


def test_black_and_white_stay_and_the_middle_moves() -> None:
    assert through_gamma(np.array([[0, 128, 255]], np.uint8), 2.0).tolist() == [[0, 64, 255]]
    assert through_gamma(np.array([[0, 64, 255]], np.uint8), 0.5).tolist() == [[0, 128, 255]]


def test_every_film_that_can_be_read_is_written(tmp_path: Path) -> None:
    films = tmp_path / "films"
    (films / "ward").mkdir(parents=True)
    phantom = draw_phantom(1, hw=(128, 128))
    for name in ("a.png", "ward/a.png"):
        cv2.imwrite(str(films / name), phantom)
    (films / "broken.png").write_bytes(b"no film")
    assert main([str(films), str(tmp_path / "out"), "1.4"]).startswith("2 films")
    written = sorted((tmp_path / "out").iterdir())
    assert len(written) == 2
    found = cv2.imread(str(written[0]), cv2.IMREAD_GRAYSCALE)
    assert found is not None
    np.testing.assert_array_equal(found, through_gamma(phantom, 1.4))


def test_a_gamma_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="above 0"):
        write_films(tmp_path, tmp_path / "out", 0.0)
