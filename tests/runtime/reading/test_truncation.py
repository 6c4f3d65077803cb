"""A film that was cut off anywhere is never scored, and nothing but the film's own error is raised."""

from collections.abc import Callable
from functools import partial

import imagecodecs
import numpy as np
import pytest
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

import dicom_files as dicom
import film_files as files
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.reading import read_film

DEEP = files.phantom().astype(np.uint16) * 16

# Bytes at the end that no pixel needs: of a DICOM stream the length of its end mark, always 0; of a deflated
# data set the one that may make its length even (PS3.5 annex A.5).
UNUSED = {f"dicom {uid.name}": int(uid == DeflatedExplicitVRLittleEndian) for uid in dicom.UNCOMPRESSED}
WHOLE: dict[str, Callable[[], bytes]] = {
    "png": lambda: files.png_file(files.phantom()),
    "png interlaced": lambda: files.png_file(files.phantom(), interlaced=True),
    "jpeg": lambda: files.jpeg_file(files.phantom()),
    "jpeg progressive": lambda: files.jpeg_file(files.phantom(), progressive=True),
    "jpeg 12 bits": lambda: bytes(imagecodecs.jpeg8_encode(DEEP, bitspersample=12)),
    "tiff": lambda: files.tiff_file(files.phantom()),
    "tiff lzw strips": lambda: files.tiff_file(files.phantom(), compression="lzw", rowsperstrip=16),
    "tiff deflate tiles": lambda: files.tiff_file(files.phantom(), compression="deflate", tile=(32, 32)),
    "tiff jpeg": lambda: files.tiff_file(files.phantom(), compression="jpeg"),
    "bmp": lambda: files.bmp_file(files.phantom()),
    "bmp colour": lambda: files.bmp_file(files.colour_picture()),
    **{
        f"dicom {uid.name}": partial(dicom.dicom_file, files.phantom(), syntax=uid)
        for uid in (*dicom.UNCOMPRESSED, dicom.RLE, *dicom.ENCODERS)
    },
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_cut_anywhere_is_noticed(kind: str) -> None:
    whole = WHOLE[kind]()
    read_film(whole)
    end = len(whole) - UNUSED.get(kind, 4 if kind.startswith("dicom") else 0)
    cuts = {*range(1, 400, 13), *range(400, end, max(1, end // 40)), *range(end - 12, end)}
    for cut in sorted(cut for cut in cuts if 0 < cut < end):
        with pytest.raises(UnreadableFilmError):
            read_film(whole[:cut])


@pytest.mark.parametrize("kind", WHOLE)
def test_cut_pixels_are_called_truncated(kind: str) -> None:
    whole = WHOLE[kind]()
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(whole[: int(len(whole) * 0.9)])
    assert caught.value.code == "truncated"


@pytest.mark.parametrize("uid", dicom.ENCODERS, ids=lambda uid: uid.name)
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_a_stream_cut_within_a_whole_dicom_file_is_noticed(uid: UID, share: float) -> None:
    stream = dicom.ENCODERS[uid](files.phantom(), 8)
    for end in (b"", b"\xff\xd9"):
        cut = bytes(stream[: int(len(stream) * share)]).rstrip(b"\xff") + end
        with pytest.raises(UnreadableFilmError):
            read_film(dicom.dicom_file(files.phantom(), syntax=uid, stream=cut))


def test_an_rle_segment_that_is_too_short_is_noticed() -> None:
    ds = dicom.dicom_dataset(files.phantom())
    stream = dicom.encode_frame(files.phantom(), dicom.RLE, ds)
    with pytest.raises(UnreadableFilmError):
        read_film(dicom.dicom_file(files.phantom(), syntax=dicom.RLE, stream=stream[: len(stream) // 2]))


def test_native_pixels_of_several_frames_must_all_be_there() -> None:
    frames = np.stack([files.phantom(), files.phantom()])
    ds = dicom.dicom_dataset(frames)
    ds.PixelData = frames.tobytes()[:-80]
    ds["PixelData"].VR = "OB"
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(dicom.write_dataset(ds))
    assert caught.value.code == "truncated"
