"""A PNG that ISA-L has inflated is the same picture, and what it does not take is left to the decoder."""

import struct
import zlib

import cv2
import numpy as np
import pytest

import film_files as files
from cxr_runtime.reading import png_inflating
from cxr_runtime.reading.png_inflating import inflated_png

LONGEST = 65535  # bytes of a stored block (RFC 1951, 3.2.4)


def header_of(content: bytes) -> bytes:
    return content[16:29]


def data_of(content: bytes) -> list[bytes]:
    """The contents of the IDAT chunks."""
    data, at = [], 8
    while at < len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        if name == b"IDAT":
            data.append(content[at + 8 : at + 8 + length])
        at += 12 + length
    return data


def decoded(content: bytes | memoryview) -> list[int]:
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return [*pixels.shape, *pixels.ravel().tolist()]


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("colour", [files.PNG_GREY, files.PNG_RGB])
def test_the_picture_is_the_same(bits: int, colour: int) -> None:
    samples = files.phantom(300, 260).astype(np.int64) * (257 if bits == 16 else 1)
    if colour == files.PNG_RGB:
        samples = np.stack([samples, samples[::-1], samples[:, ::-1]], axis=2)
    content = files.png_file(samples, bits=bits, colour=colour)
    inflated = inflated_png(header_of(content), data_of(content))
    assert inflated is not None
    assert len(inflated) > LONGEST
    assert decoded(inflated) == decoded(content)


def test_data_in_many_chunks_are_one_picture() -> None:
    content = files.png_file(files.phantom())
    (data,) = data_of(content)
    inflated = inflated_png(header_of(content), [data[:1], data[1:700], b"", data[700:]])
    assert inflated is not None
    assert decoded(inflated) == decoded(content)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_rarer_depth_is_left_to_the_decoder(bits: int) -> None:
    content = files.png_file(files.phantom().astype(np.int64) >> (8 - bits), bits=bits)
    assert inflated_png(header_of(content), data_of(content)) is None


def test_an_interlaced_picture_is_left_to_the_decoder() -> None:
    content = files.png_file(files.phantom(), interlaced=True)
    assert inflated_png(header_of(content), data_of(content)) is None


def test_a_very_large_picture_is_left_to_the_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    content = files.png_file(files.phantom())
    monkeypatch.setattr(png_inflating, "MOST_BYTES", 96 * 81 - 1)
    assert inflated_png(header_of(content), data_of(content)) is None


def test_data_that_are_cut_too_long_or_damaged_are_left_to_the_decoder() -> None:
    content = files.png_file(files.phantom())
    header, (data,) = header_of(content), data_of(content)
    rows = zlib.decompress(data)
    for wrong in (
        data[:-200],
        data[:-1],
        zlib.compress(rows + b"\0"),
        zlib.compress(rows[:-1]),
        data[:-4] + b"\0\0\0\0",  # the checksum
        data[:50] + bytes(50) + data[100:],
        b"",
    ):
        assert inflated_png(header, [wrong]) is None
