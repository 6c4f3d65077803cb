"""The gate on real films, where there are any."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxr_calibration.labels.film_csv import read_rows
from cxr_runtime.errors import RejectedFilmError
from cxr_runtime.film import Film
from cxr_runtime.gate import Gate
from cxr_runtime.lungs import lung_field
from cxr_runtime.reading import read_film
from cxr_train.small.gate.locked import Part, part_of
from cxr_train.small.gate.pictures import picture_group

DATA = Path(__file__).parents[4] / "shared" / "data"
CHESTS = (
    "1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm",
    "966_fixed.dcm",
    "Fake_MONOHR1.dcm",
    "RG1_J2KI.dcm",
    "gdcm-CR-MONO1-10-chest.dcm",
)

pytestmark = [
    pytest.mark.films,
    pytest.mark.skipif(not DATA.is_dir(), reason="the films of ../shared/data are not here"),
]


def _film(path: Path) -> Film:
    return read_film(path.read_bytes())


def _code(film: Film, *, by_pixels_alone: bool = False) -> str:
    """The code of a rejection or remark; "" if the film simply passed."""
    gate = Gate(lung_field())
    try:
        admission = gate.admit_by_pixels(film) if by_pixels_alone else gate.admit(film)
    except RejectedFilmError as rejection:
        return f"rejected: {rejection.code}"
    return "" if admission.remark is None else str(admission.remark.code)


def test_no_full_size_film_of_the_collection_is_rejected() -> None:
    wrong = {path.name: _code(_film(path)) for path in sorted((DATA / "nih1024").glob("*.png"))}
    assert {name: code for name, code in wrong.items() if code} == {}


@pytest.mark.parametrize("name", CHESTS)
def test_dicom_chests_pass_and_the_one_whose_tag_lies_is_corrected(name: str) -> None:
    expected = "polarity-inverted" if name.startswith("Fake") else ""
    assert _code(_film(DATA / "dicom" / "chest" / name)) == expected


def test_the_animal_is_not_scored_even_without_its_tags() -> None:
    film = _film(DATA / "dicom" / "chest" / "dx_image.dcm")
    assert _code(film).startswith("rejected")
    assert _code(film, by_pixels_alone=True).startswith("rejected")


@pytest.mark.parametrize(
    "name", ["CR-ModalitySequenceLUT", "NM_Kakadu44_SOTmarkerincons", "RG2_RLE", "RG3_RLE"]
)
def test_other_body_parts_are_rejected_by_tags_and_by_pixels(name: str) -> None:
    film = _film(DATA / "dicom" / "other" / f"{name}.dcm")
    assert _code(film).startswith("rejected")
    assert _code(film, by_pixels_alone=True).startswith("rejected")


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_films_turned_by_code_are_turned_back_to_the_pixel_so_that_scores_are_the_same(
    quarter_turns: int,
) -> None:
    """No film is turned back wrongly; where that is not certain, it is rejected."""
    gate, set_right = Gate(lung_field()), 0
    paths = sorted((DATA / "nih1024").glob("*.png"))[::3]
    for path in paths:
        film = _film(path)
        turned = np.ascontiguousarray(np.rot90(film.pixels, -quarter_turns))
        try:
            admission = gate.admit(replace(film, pixels=turned))
        except RejectedFilmError:
            continue
        set_right += 1
        assert admission.remark is not None
        assert admission.remark.code == f"rotated-{90 * quarter_turns}"
        np.testing.assert_array_equal(admission.film.pixels, film.pixels)
    assert set_right >= 0.8 * len(paths)


def test_no_picture_of_another_kind_that_judges_the_gate_is_scored() -> None:
    pictures = [DATA / row["file"] for row in read_rows(DATA / "gate.csv", ("file",))]
    judges = [path for path in pictures if part_of(picture_group(path)) is Part.LOCKED]
    passed = [path.name for path in judges if not _code(_film(path)).startswith("rejected")]
    assert len(judges) > 350
    assert passed == []


def test_lateral_films_are_rejected() -> None:
    codes = [_code(_film(path)) for path in sorted((DATA / "lateral512").glob("*.jpg"))]
    assert codes
    assert set(codes) == {"rejected: lateral"}
