"""A film's picture shows what the overlay shows, in as few bytes as it needs."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from cxr_runtime.files import HEATMAPS_FOLDER, ReportFormat
from cxr_runtime.heat.map import HeatMethod, HeatView
from cxr_runtime.heat.overlay import overlay
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import kept_jpeg
from cxr_runtime.placement import CellGrid, Placement
from cxr_runtime.reports.heatmap_files import HeatmapFiles
from cxr_runtime.store.rows import StoredPicture

VIEW = HeatView(HeatMethod.CAM, CellGrid(2.0, 4.0), 0.4, stretch=1.0, offset=0.0)
SQUARE = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8))


@pytest.mark.parametrize("heat", [0.2, 0.3999, 0.4, 0.7])
@pytest.mark.parametrize("with_outline", [False, True])
def test_a_film_without_a_warm_part_is_grey_and_every_picture_is_the_overlay(
    tmp_path: Path, heat: float, with_outline: bool
) -> None:
    (tmp_path / HEATMAPS_FOLDER).mkdir()
    film, cells = draw_phantom(1, hw=(96, 80)), np.full((4, 4), heat, np.float32)
    files = HeatmapFiles(tmp_path, VIEW, frozenset({ReportFormat.PNG}), with_outline)
    ((name, _),) = files.write("film", film, cells, (96, 80), [SQUARE])
    stored = cv2.imread(str(tmp_path / name), cv2.IMREAD_UNCHANGED)
    shown = cv2.imread(str(tmp_path / name), cv2.IMREAD_COLOR_RGB)
    assert stored is not None
    assert shown is not None
    np.testing.assert_array_equal(shown, overlay(film, cells, 0.4, [SQUARE] if with_outline else ()))
    assert (stored.ndim == 2) == (heat < 0.4 and not with_outline)


def test_a_picture_drawn_again_from_a_smaller_film_has_the_size_and_the_greys_of_the_first(
    tmp_path: Path,
) -> None:
    (tmp_path / HEATMAPS_FOLDER).mkdir()
    film, cells = draw_phantom(1, hw=(1024, 840)), np.zeros((4, 4), np.float32)
    files = HeatmapFiles(tmp_path, VIEW, frozenset({ReportFormat.PNG}), lung_outline=False)
    placement = Placement((2048, 1680), (0, 0, 1680, 2048), (224, 224))
    files.write("first", film, cells, placement.film_hw, ())
    files.write_again("again", StoredPicture(kept_jpeg(film), placement, cells, ()))
    first, again = (
        cv2.imread(str(tmp_path / HEATMAPS_FOLDER / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        for name in ("first", "again")
    )
    assert first is not None
    assert again is not None
    assert again.shape == first.shape == (1024, 840)
    assert float(np.abs(again.astype(float) - first).mean()) < 2
