"""A night's folder with everything in it: each file ends where a radiographer would put it."""

import csv
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.files import ReportFormat
from cxr_runtime.gate import Code
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.scan import scan
from model_folders import write_model_folder

FILM, OTHER = draw_phantom(3, hw=(400, 400)), draw_phantom(5, hw=(400, 400))
SCORED, FAILED = "scored", "failed"


def _screenshot() -> NDArray[np.uint8]:
    """The film in a window of a light, wide screen, with a list of patients beside it."""
    screen = np.full((450, 800), 240, np.uint8)
    screen[:30] = 60
    screen[50:400, 250:600] = cv2.resize(FILM, (350, 350), interpolation=cv2.INTER_AREA)
    for line in range(10):
        cv2.putText(screen, f"Patient {line}", (10, 75 + 30 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 30, 1)
    return screen


def _page() -> NDArray[np.uint8]:
    page = np.full((700, 500), 255, np.uint8)
    for line in range(30):
        place = (40, 50 + 20 * line)
        cv2.putText(
            page, "The lungs are clear. No effusion is seen.", place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0
        )
    return page


PICTURES: dict[str, tuple[NDArray[np.uint8], str, str]] = {
    "good": (FILM, SCORED, ""),
    "inverted": (255 - FILM, SCORED, Code.POLARITY_INVERTED),
    "turned": (np.rot90(FILM, -1), SCORED, Code.ROTATED_90),
    "upside-down": (np.rot90(FILM, 2), SCORED, Code.ROTATED_180),
    "mirrored": (FILM[:, ::-1], "rejected", Code.MIRRORED),
    "cut": (FILM[:, :170], "rejected", Code.LUNGS_CUT_OFF),
    "two": (np.hstack([FILM, OTHER]), "rejected", Code.SEVERAL_IMAGES),
    "blurred": (np.asarray(cv2.GaussianBlur(FILM, (0, 0), 8), np.uint8), "rejected", Code.TOO_BLURRED),
    "dark": (np.asarray(FILM * 0.04, np.uint8), "rejected", Code.TOO_DARK),
    "small": (cv2.resize(FILM, (90, 90)).astype(np.uint8), "rejected", Code.TOO_SMALL),
    "screenshot": (_screenshot(), "rejected", Code.PHOTOGRAPHED),
    "page": (_page(), "rejected", Code.NOT_A_CHEST_FILM),
    "blank": (np.full((400, 400), 128, np.uint8), "rejected", Code.TOO_BRIGHT),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str, str]]:
    """Status, code and score in results.csv of a folder that mixes all of it, by the stem of the file."""
    root = tmp_path_factory.mktemp("mixed")
    night = root / "night"
    night.mkdir()
    for name, (pixels, _, _) in PICTURES.items():
        cv2.imwrite(str(night / f"{name}.png"), np.ascontiguousarray(pixels))
    (night / "broken.png").write_bytes((night / "good.png").read_bytes()[:5000])
    (night / "report.pdf").write_bytes(b"%PDF-1.7")
    options = ScanOptions(
        out=root / "out",
        model=write_model_folder(root / "model"),
        backend="onnxruntime",
        formats=frozenset({ReportFormat.CSV}),
    )
    scan([night], options)
    with (root / "out" / "results.csv").open(encoding="utf-8", newline="") as lines:
        return {
            Path(row["file"]).stem: (row["status"], row["code"], row["score"])
            for row in csv.DictReader(lines)
        }


@pytest.mark.parametrize("name", PICTURES)
def test_each_picture_ends_where_a_radiographer_would_put_it(
    verdicts: dict[str, tuple[str, str, str]], name: str
) -> None:
    _, expected, expected_code = PICTURES[name]
    status, code, score = verdicts[name]
    assert (status, code) == (expected, expected_code)
    assert bool(score) == (expected == SCORED)


def test_a_broken_file_is_a_row_and_a_report_beside_the_films_is_none(
    verdicts: dict[str, tuple[str, str, str]],
) -> None:
    assert verdicts["broken"][0] == FAILED
    assert set(verdicts) == {*PICTURES, "broken"}


@pytest.mark.skipif(sys.platform != "linux", reason="names are text there")
def test_an_input_whose_name_is_no_text_is_scanned_and_reported_on(tmp_path: Path) -> None:
    night = tmp_path / os.fsdecode(b"radiograf\xedas")  # as an old share has it
    night.mkdir()
    cv2.imwrite(str(tmp_path / "good.png"), FILM)
    (tmp_path / "good.png").rename(night / "good.png")
    options = ScanOptions(
        out=tmp_path / "out", model=write_model_folder(tmp_path / "model"), backend="onnxruntime"
    )
    for _ in range(2):
        assert scan([night], options).tally.scored == 1
    assert "radiograf\\xedas" in (tmp_path / "out" / "worklist.html").read_text(encoding="utf-8")


def test_a_turned_film_gets_the_score_of_the_upright_one(verdicts: dict[str, tuple[str, str, str]]) -> None:
    assert verdicts["turned"][2] == verdicts["upside-down"][2] == verdicts["good"][2]
