"""The real films of ../shared/data are read as their tables say."""

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from cxr_runtime.film import Film
from cxr_runtime.reading import read_film
from cxr_runtime.reading.dicom.syntaxes import SYNTAXES

DATA = Path(__file__).parents[4] / "shared" / "data"
pytestmark = [
    pytest.mark.films,
    pytest.mark.skipif(not DATA.exists(), reason="the real films are not on this machine"),
]
# Several files are the same picture in different encodings.
SAME = {"RG2": ("J2KR", "JLSL", "JPLL", "RLE"), "RG3": ("J2KR", "JLSL", "JPLL", "RLE")}


@cache
def read(file: str) -> Film:
    return read_film((DATA / file).read_bytes())


def table(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_dicom_headers_are_read_as_the_table_says() -> None:
    for row in table("dicom.csv"):
        film = read(row["file"])
        assert film.hw == (int(row["rows"]), int(row["columns"])), row["file"]
        facts = film.facts
        stated = (
            facts.modality,
            facts.photometric,
            facts.body_part,
            facts.view.value,
        )
        expected = ("modality", "photometric", "body_part", "view")
        assert stated == tuple(row[column] for column in expected), row["file"]
        words = row["transfer_syntax"].replace("Image Compression", "").split(" (")[0]
        assert words.split(",")[0].split()[0] in SYNTAXES[facts.transfer_syntax].name, row["file"]
        assert 20 < film.pixels.std() < 120, row["file"]


@pytest.mark.parametrize("picture", SAME)
def test_lossless_encodings_of_one_picture_agree(picture: str) -> None:
    films = [read(f"dicom/other/{picture}_{encoding}.dcm") for encoding in SAME[picture]]
    for film in films[1:]:
        np.testing.assert_array_equal(film.pixels, films[0].pixels)


@pytest.mark.parametrize("picture", SAME)
def test_odd_jpeg_streams_are_read_right(picture: str) -> None:
    odd = read(f"dicom/other/{picture}_JPLY.dcm").pixels.astype(int)
    assert np.abs(odd - read(f"dicom/other/{picture}_RLE.dcm").pixels).mean() < 1


@pytest.mark.parametrize(
    ("name", "count"), [("nih1024.csv", 64), ("lateral512.csv", 17), ("jsrt224.csv", 187)]
)
def test_rasters_are_read(name: str, count: int) -> None:
    rows = table(name)
    assert len(rows) == count
    for row in rows:
        film = read_film((DATA / row["file"]).read_bytes())
        assert min(film.hw) >= 200, row["file"]
        assert film.pixels.std() > 10, row["file"]
