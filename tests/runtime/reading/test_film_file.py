"""Files that are not films end with a code and a sentence that says what they are."""

import zipfile
from io import BytesIO

import pytest

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.reading import read_film
from cxr_runtime.reading.film_file import FileFormat, format_of


def zipped() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("film.png", b"")
    return file.getvalue()


STRANGERS = {
    "text": (b"Dear colleague,\nplease find the film attached.\n" * 20, "text"),
    "text in an old encoding": ("Röntgenbild liegt bei\n".encode("latin-1") * 20, "text"),
    "html": (b"\n<!DOCTYPE html><html><body>404</body></html>", "web page"),
    "html, quirky": (b"\xef\xbb\xbf<HTML><body>", "web page"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PDF"),
    "zip": (zipped(), "zip"),
    "gzip": (b"\x1f\x8b\x08\x00rest", "gzip"),
    "gif": (b"GIF89a\x01\x00\x01\x00", "GIF"),
    "webp": (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "WebP"),
    "avi": (b"RIFF\x00\x00\x00\x00AVI LIST", "video"),
    "mp4": (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00", "video"),
    "heic": (b"\x00\x00\x00\x18ftypheic\x00\x00\x02\x00", "HEIC"),
    "matroska": (b"\x1aE\xdf\xa3\x01\x00\x00\x00", "video"),
    "jp2": (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"),
    "sqlite": (b"SQLite format 3\x00" + bytes(80), "database"),
    "program": (b"\x7fELF\x02\x01\x01" + bytes(80), "program"),
    "zeros": (bytes(4096), "zero bytes"),
    "noise": (bytes(range(255, 0, -1)) * 4, "unknown kind"),
    "a word that starts like a bitmap": (b"BMW drivers wanted, apply within\n" * 4, "text"),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_strangers_are_named(name: str) -> None:
    content, found = STRANGERS[name]
    with pytest.raises(UnreadableFilmError, match=found) as caught:
        read_film(content)
    assert caught.value.code == "not-an-image"
    assert "expected a film as PNG, JPEG, TIFF, BMP or DICOM" in caught.value.sentence


def test_an_empty_file_is_called_empty() -> None:
    with pytest.raises(UnreadableFilmError) as caught:
        read_film(b"")
    assert caught.value.code == "empty"


def test_dicom_is_known_by_its_prefix_whatever_its_preamble_says() -> None:
    tiff_preamble = b"II*\x00\x08\x00\x00\x00"
    assert format_of(tiff_preamble + bytes(120) + b"DICM" + bytes(20)) is FileFormat.DICOM


@pytest.mark.parametrize("magic", [b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"])
def test_tiff_of_both_byte_orders_and_sizes(magic: bytes) -> None:
    assert format_of(magic + bytes(60)) is FileFormat.TIFF
