"""The structured report is read back by highdicom's own reader, and its region lies in the film's pixels."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from highdicom import sr
from numpy.typing import NDArray

from cxr_runtime.access import PRIVATE
from cxr_runtime.files import DICOM_FOLDER
from cxr_runtime.heat.map import HeatMethod, HeatView, film_heat
from cxr_runtime.heat.overlay import heat_steps
from cxr_runtime.outcome import Triage
from cxr_runtime.placement import Box, CellGrid, Placement
from cxr_runtime.reports.dicom.region import hottest_region
from cxr_runtime.reports.dicom.results import ResultFiles, ScoredFilm
from dicom_results import HW, MADE, film, heat, settings
from drawn_exhibits import HEAT_THRESHOLD, RUN
from study_films import FILM


def read_back(out: Path, what: ScoredFilm) -> sr.MeasurementReport:
    (out / DICOM_FOLDER).mkdir()
    made = ResultFiles(out, settings(), PRIVATE).write(what, lambda _: MADE)
    (file,) = [each.file for each, _ in made if each.kind == "sr"]
    report = sr.srread(out / file)
    assert isinstance(report.content, sr.MeasurementReport)
    return report.content


def coded(evaluation: sr.QualitativeEvaluation) -> sr.CodedConcept:
    assert isinstance(evaluation.value, sr.CodedConcept)
    return evaluation.value


def outline(group: sr.PlanarROIMeasurementsAndQualitativeEvaluations) -> NDArray[np.float64]:
    assert group.roi is not None
    return np.asarray(group.roi.value, np.float64)


def test_score_threshold_and_triage_are_read_back(tmp_path: Path) -> None:
    (whole,) = read_back(tmp_path, film()).get_image_measurement_groups()
    values = {each.name.meaning: each.value for each in whole.get_measurements()}
    assert values == {"Score of suspicion": 81.25, "Score from which films are flagged": 100 * RUN.threshold}
    said = {each.name.meaning: coded(each).meaning for each in whole.get_qualitative_evaluations()}
    assert said == {"Triage": "Flagged", "Intended use": "Research use only, not for diagnosis"}
    (source,) = whole.source_images
    assert source.referenced_sop_instance_uid == FILM


@pytest.mark.parametrize("triage", list(Triage))
def test_every_triage_has_a_code(triage: Triage, tmp_path: Path) -> None:
    (whole,) = read_back(tmp_path, film(triage=triage)).get_image_measurement_groups()
    values = {coded(each).value for each in whole.get_qualitative_evaluations()}
    assert triage.value.replace("_", "-") in values


def test_the_algorithm_is_named_with_its_model(tmp_path: Path) -> None:
    read_back(tmp_path, film())
    (file,) = (tmp_path / DICOM_FOLDER).glob("*-sr.dcm")
    for said in (f"cxr-triage {RUN.model}", RUN.product, f"model sha256 {RUN.model_sha256}"):
        assert said.encode() in file.read_bytes()


def test_the_hottest_region_is_a_closed_outline_in_the_films_pixels(tmp_path: Path) -> None:
    (region,) = read_back(tmp_path, film()).get_planar_roi_measurement_groups()
    (highest,) = region.get_measurements()
    assert highest.value == pytest.approx(0.9)
    corners = outline(region)
    assert (corners[0] == corners[-1]).all()
    across, down = HW[1] / 52, HW[0] / 64  # pixels of the film for one of the heat
    low, high = corners.min(axis=0), corners.max(axis=0)
    assert low == pytest.approx((10 * across, 16 * down), abs=across)
    assert high == pytest.approx((18 * across, 24 * down), abs=across)


def test_a_film_without_coloured_heat_has_no_region(tmp_path: Path) -> None:
    report = read_back(tmp_path, film(warm=False))
    assert report.get_planar_roi_measurement_groups() == []
    assert len(report.get_image_measurement_groups()) == 1


def test_on_pixels_that_are_not_square_the_region_lies_as_they_are_stored(tmp_path: Path) -> None:
    what = film()
    facts = replace(what.source.facts, stored_hw=(HW[0] // 2, HW[1]))
    report = read_back(tmp_path, replace(what, source=replace(what.source, facts=facts)))
    (region,) = report.get_planar_roi_measurement_groups()
    assert outline(region)[:, 1].max() == pytest.approx(24 * HW[0] / 2 / 64, abs=4)


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
def test_of_a_film_that_was_turned_back_the_region_lies_over_the_spot_as_stored(
    quarter_turns: int, tmp_path: Path
) -> None:
    """The spot is in one corner, so that no two turns have it at the same place."""
    warm, spot = np.zeros((64, 52), np.float32), np.zeros(HW, np.uint8)
    warm[4:12, 40:48] = 0.9
    spot[16:48, 160:192] = 1  # the same, in pixels of the upright film
    stored = np.rot90(spot, -quarter_turns)  # clockwise
    facts = replace(film().source.facts, stored_hw=stored.shape, turned_back=90 * quarter_turns)
    what = replace(film(), heat=warm, source=replace(film().source, facts=facts))
    (region,) = read_back(tmp_path, what).get_planar_roi_measurement_groups()
    drawn = np.zeros(stored.shape, np.uint8)
    cv2.fillPoly(drawn, [np.rint(outline(region)).astype(np.int32)], (1,))
    assert int((drawn & stored).sum()) / int((drawn | stored).sum()) > 0.75


@pytest.mark.parametrize(
    "box", [(20.0, 30.0, 180.0, 190.0), (-24.0, 0.0, 232.0, 256.0)], ids=["cropped", "padded"]
)
def test_where_the_network_saw_a_part_or_more_the_region_lies_on_the_whole_film(box: Box) -> None:
    """One of 8 by 8 cells is hot: its place in the part is its place on the film."""
    cells = np.zeros((8, 8), np.float32)
    cells[1, 5] = 0.9
    view = HeatView(HeatMethod.CAM, CellGrid(14.0, 28.0), HEAT_THRESHOLD, 1.0, 0.0)
    found = hottest_region(film_heat(cells, Placement(HW, box, (224, 224)), view), HEAT_THRESHOLD, HW)
    assert found is not None
    middle = (found[0].min(axis=0) + found[0].max(axis=0)) / 2
    side = (box[2] - box[0]) / 8
    assert middle == pytest.approx((box[0] + 5.5 * side, box[1] + 1.5 * side), abs=2)


def test_the_region_is_what_is_coloured_around_the_highest_heat() -> None:
    found = hottest_region(heat(), HEAT_THRESHOLD, HW)
    assert found is not None
    drawn = np.zeros(HW, np.uint8)
    cv2.fillPoly(drawn, [np.rint(found[0]).astype(np.int32)], (1,))
    coloured = (heat_steps(heat(), HEAT_THRESHOLD, HW)[0] > 0).astype(np.uint8)
    coloured[HW[0] // 2 :] = 0  # the colder region
    shared, either = int((drawn & coloured).sum()), int((drawn | coloured).sum())
    assert shared / either > 0.9


@pytest.mark.parametrize(
    "place", [(slice(0, 1), slice(0, 1)), (slice(63, 64), slice(51, 52)), (slice(30, 31), slice(0, 52))]
)
def test_a_region_at_an_edge_or_of_one_cell_stays_within_the_film(place: tuple[slice, slice]) -> None:
    warm = np.zeros((64, 52), np.float32)
    warm[place] = 0.36
    found = hottest_region(warm, HEAT_THRESHOLD, HW)
    assert found is not None
    corners = found[0]
    assert len(corners) >= 4
    assert (corners >= 0).all()
    assert (corners <= (HW[1], HW[0])).all()
