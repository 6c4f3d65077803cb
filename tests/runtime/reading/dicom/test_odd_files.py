"""Sound films are read however oddly their file was written."""

import struct
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

import dicom_files as dicom
import film_files as files
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.reading import read_film
from cxr_runtime.reading.dicom import file

LOSSLESS = (dicom.RLE, dicom.JPEG_LOSSLESS_SV1, dicom.JPEG_LS, dicom.JPEG_2000_LOSSLESS)
every_codec = pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda uid: uid.name)
PLAIN = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
ITEM = b"\xfe\xff\x00\xe0"
DELIMITER = b"\xfe\xff\xdd\xe0" + bytes(4)
META_LENGTH = 140  # where the group length of the file meta information lies


def deep() -> NDArray[np.uint16]:
    return (files.phantom().astype(np.uint16) * 257 >> 4).astype(np.uint16)


def stream_of(syntax: UID) -> bytes:
    return dicom.encode_frame(deep(), syntax, dicom.dicom_dataset(deep(), bits=12))


def film_of(*fragments: bytes, syntax: UID, table: bytes | None = b"", **elements: Any) -> bytes:
    """A file whose fragments, and whose offset table, are as given; `table` None leaves its item out."""
    content = dicom.dicom_file(deep(), syntax=syntax, bits=12, stream=b"12345678", **elements)
    start = content.index(b"\xe0\x7f\x10\x00OB\x00\x00\xff\xff\xff\xff") + 12
    items = (*(() if table is None else (table,)), *fragments)
    return content[:start] + b"".join(_item(part) for part in items) + DELIMITER


def _item(part: bytes) -> bytes:
    part += b"\0" * (len(part) % 2)
    return ITEM + struct.pack("<I", len(part)) + part


def assert_film(content: bytes) -> None:
    np.testing.assert_allclose(read_film(content).pixels.astype(int), files.phantom(), atol=1)


@every_codec
@pytest.mark.parametrize("table", [None, b"\x04\0\0\0", b"\xff" * 8, b"123456", struct.pack("<2I", 0, 9000)])
def test_the_offset_table_of_a_single_frame_does_not_matter(syntax: UID, table: bytes | None) -> None:
    assert_film(film_of(stream_of(syntax), syntax=syntax, table=table))


@every_codec
def test_a_wrong_extended_offset_table_of_a_single_frame_does_not_matter(syntax: UID) -> None:
    offsets: dict[str, Any] = {
        "ExtendedOffsetTable": ("OV", struct.pack("<Q", 77)),
        "ExtendedOffsetTableLengths": ("OV", struct.pack("<Q", 3)),
    }
    assert_film(film_of(stream_of(syntax), syntax=syntax, **offsets))


@every_codec
def test_a_frame_may_lie_in_several_fragments(syntax: UID) -> None:
    stream = stream_of(syntax)
    third = len(stream) // 6 * 2
    parts = (stream[:third], stream[third : 2 * third], stream[2 * third :])
    assert_film(film_of(*parts, syntax=syntax))


def test_the_first_of_several_frames_may_lie_in_several_fragments() -> None:
    stream = stream_of(dicom.JPEG_LS)
    half = len(stream) // 4 * 2
    parts = (stream[:half], stream[half:], b"\xff\xd8\xff\xd9" * 4)
    first = 16 + len(stream) + len(stream) % 2
    for table in (b"", struct.pack("<2I", 0, first)):
        content = film_of(*parts, syntax=dicom.JPEG_LS, table=table, NumberOfFrames=2)
        assert_film(content)
        assert read_film(content).facts.frames == 2


@pytest.mark.parametrize(
    ("syntax", "filling"),
    [
        pytest.param(syntax, filling, id=f"{syntax.name} {len(filling)} x {filling[:1]!r}")
        for syntax in LOSSLESS
        for filling in (bytes(2), bytes(32), bytes(5000), b"\xff" * 6, b" " * 10)
        if syntax != dicom.RLE or not any(filling)  # run lengths have no end mark
    ],
)
def test_filling_behind_the_end_of_a_stream_does_not_matter(syntax: UID, filling: bytes) -> None:
    assert_film(film_of(stream_of(syntax) + filling, syntax=syntax))


@every_codec
def test_filling_behind_the_last_fragment_does_not_matter(syntax: UID) -> None:
    content = film_of(stream_of(syntax), syntax=syntax)
    assert_film(content.removesuffix(DELIMITER) + bytes(16) + DELIMITER)


@pytest.mark.parametrize("tail", [b"<!-- exported -->\r\n", b"abc", b"\0" * 1000, b"\xff" * 50, b"DICM"])
@pytest.mark.parametrize("syntax", [*dicom.UNCOMPRESSED, *LOSSLESS], ids=lambda uid: uid.name)
def test_bytes_behind_the_pixel_data_do_not_matter(syntax: UID, tail: bytes) -> None:
    assert_film(dicom.dicom_file(deep(), syntax=syntax, bits=12) + tail)


TELLABLE = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "BitsAllocated",
    "Rows",
    "Columns",
)


def without(content: bytes, keyword: str) -> bytes:
    """The same file without an element of the Image Pixel module, in explicit little endian."""
    element = dicom.dicom_dataset(deep()).data_element(keyword)
    assert element is not None
    at = content.index(struct.pack("<HH", element.tag.group, element.tag.element) + element.VR.encode())
    return content[:at] + content[at + 8 + int.from_bytes(content[at + 6 : at + 8], "little") :]


@pytest.mark.parametrize(
    ("syntax", "keyword"),
    [
        pytest.param(syntax, keyword, id=f"{syntax.name} {keyword}")
        for syntax in (ExplicitVRLittleEndian, *LOSSLESS)
        for keyword in TELLABLE
        if syntax != dicom.RLE or keyword not in ("Rows", "Columns")  # run lengths do not state a size
    ],
)
def test_what_the_header_lacks_is_told_from_the_pixels(syntax: UID, keyword: str) -> None:
    assert_film(without(dicom.dicom_file(deep(), syntax=syntax, bits=12), keyword))


@pytest.mark.parametrize("syntax", LOSSLESS[1:], ids=lambda uid: uid.name)
def test_a_frame_tells_all_of_the_image_pixel_module(syntax: UID) -> None:
    content = dicom.dicom_file(deep(), syntax=syntax, bits=12)
    for keyword in TELLABLE:
        content = without(content, keyword)
    assert_film(content)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, dicom.RLE], ids=lambda uid: uid.name)
def test_a_size_that_nothing_tells_is_damage(syntax: UID) -> None:
    content = without(without(dicom.dicom_file(deep(), syntax=syntax, bits=12), "Rows"), "Columns")
    with pytest.raises(UnreadableFilmError, match="does not state rows and columns") as caught:
        read_film(content)
    assert caught.value.code == "damaged"


@pytest.mark.parametrize("written", [b"monochrome2 ", b" MONOCHROME2", b"Monochrome2\0", b"MONOCHROME 2"])
def test_words_may_be_in_lower_case_and_padded(written: bytes) -> None:
    assert_film(dicom.dicom_file(deep(), bits=12).replace(b"MONOCHROME2 ", written))


def stating(content: bytes, syntax: UID | None) -> bytes:
    """The same file with another transfer syntax stated, or none."""
    at = content.index(b"\x02\x00\x10\x00UI")
    behind = at + 8 + int.from_bytes(content[at + 6 : at + 8], "little")
    if syntax is None:
        return content[:at] + content[behind:]
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    return content[: at + 6] + struct.pack("<H", len(value)) + value + content[behind:]


@pytest.mark.parametrize("stated", [*PLAIN, *LOSSLESS, None], ids=lambda uid: uid.name if uid else "none")
@pytest.mark.parametrize("syntax", [*PLAIN, *LOSSLESS], ids=lambda uid: uid.name)
def test_a_transfer_syntax_that_is_wrong_or_missing_is_told_from_the_bytes(
    syntax: UID, stated: UID | None
) -> None:
    assert_film(stating(dicom.dicom_file(deep(), syntax=syntax, bits=12), stated))


@every_codec
def test_a_data_set_alone_is_enough(syntax: UID) -> None:
    content = dicom.dicom_file(deep(), syntax=syntax, bits=12)
    assert_film(dicom.without_preamble(content))
    assert_film(dicom.without_meta(content))
    assert_film(content[128:])  # from the prefix on


def test_a_compressed_picture_of_no_known_kind_without_a_transfer_syntax_is_refused() -> None:
    content = film_of(b"nothing that is known" * 9, syntax=dicom.JPEG_2000_LOSSLESS)
    with pytest.raises(UnreadableFilmError, match="whose transfer syntax is not stated") as caught:
        read_film(stating(content, None))
    assert caught.value.code == "unsupported"


@pytest.mark.parametrize("change", [-50, 50, -10_000])
def test_a_wrong_length_of_the_file_meta_information_does_not_matter(change: int) -> None:
    for syntax in dicom.UNCOMPRESSED:
        content = dicom.dicom_file(deep(), syntax=syntax, bits=12)
        length = max(0, int.from_bytes(content[META_LENGTH : META_LENGTH + 4], "little") + change)
        assert_film(content[:META_LENGTH] + struct.pack("<I", length) + content[META_LENGTH + 4 :])


def test_group_lengths_do_not_matter() -> None:
    content = dicom.dicom_file(deep(), bits=12)
    at = content.index(b"\x08\x00\x16\x00UI")
    assert_film(content[:at] + b"\x08\x00\x00\x00UL\x04\x00\x07\x00\x00\x00" + content[at:])


def test_filling_behind_native_pixels_does_not_matter_but_other_sizes_do() -> None:
    content = dicom.dicom_file(deep(), bits=12)
    at = content.index(b"\xe0\x7f\x10\x00OW\x00\x00") + 8
    length = int.from_bytes(content[at : at + 4], "little")
    assert_film(content[:at] + struct.pack("<I", length + 500) + content[at + 4 :] + bytes(500))
    with pytest.raises(UnreadableFilmError, match=r"asks for 7680 bytes .* holds 15360") as caught:
        read_film(dicom.dicom_file(deep(), bits=12, Rows=48))
    assert caught.value.code == "damaged"


def test_a_jpeg_stream_need_not_lie_in_items() -> None:
    stream = stream_of(dicom.JPEG_LS)
    ds = dicom.dicom_dataset(deep(), bits=12)
    ds.PixelData = stream + b"\0" * (len(stream) % 2)
    ds["PixelData"].VR = "OB"
    assert_film(stating(dicom.write_dataset(ds), dicom.JPEG_LS))


def test_a_sentence_never_shows_the_name_of_an_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(ds: Dataset) -> None:
        raise KeyError(ds.Rows)

    monkeypatch.setattr(file, "first_picture", break_down)
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(dicom.dicom_file(deep(), bits=12))
    assert caught.value.code == "damaged"
    assert "KeyError" not in caught.value.sentence


@pytest.mark.parametrize("offset", [0, 63, 0x3A1272, 0xFFFFFFFF], ids=hex)
@pytest.mark.parametrize("segment", [0, 1])
def test_run_lengths_that_point_out_of_their_frame_are_damage(segment: int, offset: int) -> None:
    """The decoder would follow them: a read beyond the frame ends its process."""
    stream = bytearray(stream_of(dicom.RLE))
    struct.pack_into("<I", stream, 4 + 4 * segment, offset)
    with pytest.raises(UnreadableFilmError) as refused:
        read_film(film_of(bytes(stream), syntax=dicom.RLE))
    assert refused.value.code == "damaged"
