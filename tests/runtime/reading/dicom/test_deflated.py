"""Deflated data sets are judged before they fill the memory."""

import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

import dicom_files as dicom
import film_files as files
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.reading import read_film
from cxr_runtime.reading.dicom import file

WHOLE = dicom.dicom_file(files.phantom(), syntax=DeflatedExplicitVRLittleEndian)


def code_of(content: bytes) -> str:
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(content)
    return caught.value.code


def test_a_data_set_that_swells_beyond_the_limit_is_not_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "MAX_BYTES", 3_000_000)
    monkeypatch.setattr(file, "CHUNK", 100_000)
    read_film(WHOLE)
    blank = np.zeros((2000, 2000), np.uint8)
    bomb = dicom.dicom_file(blank, syntax=DeflatedExplicitVRLittleEndian)
    assert len(bomb) < 10_000
    assert code_of(bomb) == "too-large"


def test_a_cut_data_set_is_truncated() -> None:
    assert code_of(WHOLE[:-100]) == "truncated"


def test_a_broken_data_set_is_damaged() -> None:
    start = len(WHOLE) // 2
    assert code_of(WHOLE[:start] + b"\xff" * 400 + WHOLE[start + 400 :]) in ("damaged", "truncated")
