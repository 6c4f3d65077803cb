"""TIFF and BigTIFF (TIFF 6.0): of several pages the first at full resolution, by a short list of codecs."""

import logging
from io import BytesIO
from itertools import islice

import numpy as np
import tifffile

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.film import Film, FilmFacts, squared
from cxr_runtime.reading.failure import check_rest, check_size, damaged, truncated, unsupported
from cxr_runtime.reading.grey import to_8_bits
from cxr_runtime.reading.jpeg import decode_jpeg, with_tables
from cxr_runtime.reading.jpeg_markers import complete_frame
from cxr_runtime.reading.orientation import ORIENTATION, UPRIGHT, upright
from cxr_runtime.reading.tiff_samples import MIN_IS_WHITE, SHOWN, grey_of_page
from cxr_runtime.reading.torn import check_rows
from cxr_runtime.reading.torn_blocks import check_blocks

UNCOMPRESSED, JPEG = 1, 7
DEFLATE = (8, 32946)
CODECS = {  # Compression (section 3); no other decoder is ever given a file
    UNCOMPRESSED: "uncompressed",
    5: "LZW",
    JPEG: "JPEG",
    8: "deflate",
    32946: "deflate",
    32773: "PackBits",
    50000: "ZSTD",
}
NEW_SUBFILE_TYPE, SUBFILE_TYPE = 254, 255  # tags
NOT_FULL = 0b101  # bits of the first: a reduced copy of another page, or a mask
FULL = 1  # value of the second
X_RESOLUTION, Y_RESOLUTION = 282, 283  # tags
MUCH_LARGER = (
    1.5  # rows and columns, over those of the first page: that one is a thumbnail, though it says not
)
MAX_PAGES = 256  # that are looked at for the one to read

# A bad film is reported in its row, not on the terminal.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)


def read_tiff(content: bytes) -> Film:
    """Decode a TIFF file, turned as its tag says, its pixels made square.

    Raises:
        UnreadableFilmError: `truncated`, `damaged`, `no-pixels`, `unsupported` or `too-large`.
    """
    try:
        with tifffile.TiffFile(BytesIO(content)) as file:
            page, frames = _choose(file)
            has_more = any(True for _ in islice(file.pages, 1, 2))  # not len(): pages may stand in a ring
            _check(page, content, is_last=not has_more)
            if page.compression == JPEG:
                _check_jpeg(page, content)
            return _film(page, content, frames)
    except UnreadableFilmError:
        raise
    except Exception as error:  # tifffile answers broken files with errors of every kind
        raise damaged("its TIFF pages cannot be decoded") from error


def _choose(file: tifffile.TiffFile) -> tuple[tifffile.TiffPage, int]:
    """The page to read, and how many pictures the file holds; smaller copies of a picture do not count."""
    first = file.pages.first
    pages = [page.aspage() for page in islice(file.pages, MAX_PAGES)]
    pages += [page.aspage() for page in islice(first.pages or (), MAX_PAGES)]
    full = [page for page in pages if _is_full(page)] or [first]
    chosen = next((page for page in full[1:] if _is_much_larger(page, full[0])), full[0])
    return chosen, sum(not _is_much_larger(chosen, page) for page in full)


def _is_full(page: tifffile.TiffPage) -> bool:
    """Whether a page does not call itself a smaller copy of another one, or a mask."""
    kind = _value(page, NEW_SUBFILE_TYPE, 0)
    return not kind & NOT_FULL and (kind != 0 or _value(page, SUBFILE_TYPE, FULL) in (0, FULL))


def _is_much_larger(page: tifffile.TiffPage, other: tifffile.TiffPage) -> bool:
    """Whether one page may show the same as another at a higher resolution."""
    down, across = page.imagelength / max(1, other.imagelength), page.imagewidth / max(1, other.imagewidth)
    return min(down, across) >= MUCH_LARGER and abs(down / across - 1) < 0.05


def _value(page: tifffile.TiffPage, tag: int, default: int) -> int:
    found = page.tags.get(tag)
    return int(found.value) if found is not None else default


def _check(page: tifffile.TiffPage, content: bytes, *, is_last: bool) -> None:
    """Check by the header that the page is of a kind that is read, and that the file holds all of it."""
    check_size(page.imagelength, page.imagewidth)
    if page.is_tiled:  # a tile is decoded whole, however little of it is shown
        check_size(page.tilelength, page.tilewidth)
    if page.compression not in CODECS:
        raise unsupported(f"a TIFF page of compression {int(page.compression)}")
    if page.imagedepth != 1 or page.samplesperpixel > 4 or page.photometric not in SHOWN:
        if page.samplesperpixel == 1:
            raise unsupported(f"a TIFF page of 1 sample and photometric {int(page.photometric)}")
        raise unsupported(
            f"a TIFF page of {page.samplesperpixel} samples and photometric {int(page.photometric)}"
        )
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if not segments or any(count <= 0 or offset + count > len(content) for offset, count in segments):
        raise truncated("TIFF strips or tiles are missing")
    if is_last and page.compression == UNCOMPRESSED and page.offset < min(page.dataoffsets):
        check_rest(content[max(offset + count for offset, count in segments) :])


def _check_jpeg(page: tifffile.TiffPage, content: bytes) -> None:
    """Check that every strip or tile is a whole JPEG stream; its decoder would fill up what is missing."""
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        stream = with_tables(content[offset : offset + count], page.jpegtables)
        decode_jpeg(stream, complete_frame(stream))


def _film(page: tifffile.TiffPage, content: bytes, frames: int) -> Film:
    shown = to_8_bits(grey_of_page(page, content))
    if page.photometric == MIN_IS_WHITE:
        shown = 255 - shown
    if page.compression == JPEG and not page.is_tiled:
        check_blocks(shown)
    elif page.compression not in DEFLATE and not page.is_tiled:
        check_rows(shown)
    shown = squared(np.ascontiguousarray(shown), _row_to_column_spacing(page))
    return Film(upright(shown, _value(page, ORIENTATION, UPRIGHT)), FilmFacts("tiff", frames=frames))


def _row_to_column_spacing(page: tifffile.TiffPage) -> float:
    """Height of a pixel over its width (section 8); square where the page does not say."""
    across, down = (page.tags.get(tag) for tag in (X_RESOLUTION, Y_RESOLUTION))
    if across is None or down is None:
        return 1.0
    (x, x_unit), (y, y_unit) = across.value, down.value  # pixels a unit, as fractions
    return (x * y_unit) / (y * x_unit) if y and x_unit and x and y_unit else 1.0
