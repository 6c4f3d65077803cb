"""Whatever the bytes are, reading ends with a film or with the film's own error."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dicom_files as dicom
import film_files as files
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.reading import read_film

SEEDS = {
    "png": files.png_file(files.phantom(40, 32)),
    "jpeg": files.jpeg_file(files.phantom(40, 32)),
    "progressive": files.jpeg_file(files.phantom(40, 32), progressive=True),
    "tiff": files.tiff_file(files.phantom(40, 32), compression="lzw"),
    "tiff of strips": files.tiff_file(files.phantom(40, 32), rowsperstrip=8),
    "bmp": files.bmp_file(files.phantom(40, 32)),
    "implicit": dicom.dicom_file(files.phantom(40, 32), syntax=dicom.UNCOMPRESSED[0]),
    "explicit": dicom.dicom_file(
        files.phantom(40, 32), WindowCenter=120, WindowWidth=200, RescaleSlope=1, RescaleIntercept=0
    ),
    "bare": dicom.without_meta(dicom.dicom_file(files.phantom(40, 32))),
    "rle": dicom.dicom_file(files.phantom(40, 32), syntax=dicom.RLE),
    "lossless": dicom.dicom_file(files.phantom(40, 32), syntax=dicom.JPEG_LOSSLESS_SV1),
    "jpeg-ls": dicom.dicom_file(files.phantom(40, 32), syntax=dicom.JPEG_LS),
    "jpeg 2000": dicom.dicom_file(files.phantom(40, 32), syntax=dicom.JPEG_2000_LOSSLESS),
}
flips = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=6)


@pytest.mark.parametrize("kind", SEEDS)
@given(changes=flips, keep=st.floats(0.05, 1), drop=st.booleans())
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_changed_and_cut_bytes_never_raise_anything_else(
    kind: str, changes: list[tuple[float, int]], keep: float, drop: bool
) -> None:
    content = bytearray(SEEDS[kind])
    for place, mask in changes:
        # Most changes go to the header, where there is more to break.
        content[int(len(content) * place**2)] ^= mask
    cut = bytes(content[: int(len(content) * keep)] if drop else content)
    with suppress(UnreadableFilmError):
        film = read_film(cut)
        assert film.pixels.dtype == np.uint8
        assert film.pixels.ndim == 2
        assert film.pixels.size


@given(content=st.binary(max_size=300), start=st.sampled_from([seed[:180] for seed in SEEDS.values()]))
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_rubbish_behind_a_sound_beginning_never_raises_anything_else(content: bytes, start: bytes) -> None:
    with pytest.raises(UnreadableFilmError):
        read_film(start + content)
