"""TIFF: any depth and compression that tifffile (BSD) and imagecodecs read; of several pages the first."""

import logging
from io import BytesIO
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.film import Film, FilmFacts, GreyPixels
from cxr_runtime.reading.failure import check_size, damaged, truncated, unsupported
from cxr_runtime.reading.grey import Numbers, grey_of_bgr, on_black, to_8_bits
from cxr_runtime.reading.jpeg import decode_jpeg, with_tables
from cxr_runtime.reading.jpeg_markers import complete_frame

MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, YCBCR = (
    0,
    1,
    2,
    3,
    6,
)  # PhotometricInterpretation (TIFF 6.0, section 8)
SHOWN = (MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, YCBCR)
UNCOMPRESSED, JPEG = 1, 7  # Compression
ORIENTATION = 274  # tag

# A bad film is reported in its row, not on the terminal.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)


def read_tiff(content: bytes) -> Film:
    """Decode the first page of a TIFF file.

    Raises:
        UnreadableFilmError: `truncated`, `damaged`, `no-pixels`, `unsupported` or `too-large`.
    """
    try:
        with tifffile.TiffFile(BytesIO(content)) as file:
            page = file.pages.first
            _check(page, len(content))
            if page.compression == JPEG:
                _check_jpeg(page, content)
            return _film(page, frames=len(file.pages))
    except UnreadableFilmError:
        raise
    except Exception as error:  # tifffile answers broken files with errors of every kind
        raise damaged(f"its TIFF pages cannot be decoded ({type(error).__name__})") from error


def _check(page: tifffile.TiffPage, size: int) -> None:
    """Check by the header that the page is of a kind that is read, and that the file holds all of it."""
    check_size(page.imagelength, page.imagewidth)
    if page.imagedepth != 1 or page.samplesperpixel > 4 or page.photometric not in SHOWN:
        raise unsupported(f"a TIFF page of {page.samplesperpixel} samples and photometric {page.photometric}")
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if not segments or any(count <= 0 or offset + count > size for offset, count in segments):
        raise truncated("TIFF strips or tiles are missing")
    bits = page.imagelength * page.imagewidth * page.bitspersample * page.samplesperpixel
    if page.compression == UNCOMPRESSED and sum(page.databytecounts) * 8 < bits:
        raise truncated("TIFF strips are too short")


def _check_jpeg(page: tifffile.TiffPage, content: bytes) -> None:
    """Check that every strip or tile is a whole JPEG stream; its decoder would fill up what is missing."""
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        stream = content[offset : offset + count]
        whole = with_tables(stream, page.jpegtables)
        decode_jpeg(whole, complete_frame(whole))


def _film(page: tifffile.TiffPage, frames: int) -> Film:
    pixels = page.asarray()
    if page.axes.startswith("S"):
        pixels = np.moveaxis(pixels, 0, -1)
    if page.photometric == PALETTE and page.colormap is not None:
        pixels = np.moveaxis(np.asarray(page.colormap)[:, pixels], 0, -1)
    elif page.bitspersample < 8:
        pixels = pixels.astype(np.uint8) * np.uint8(255 // ((1 << page.bitspersample) - 1))
    grey, coloured = _grey(pixels)
    shown = to_8_bits(grey)
    if page.photometric == MIN_IS_WHITE:
        shown = 255 - shown
    facts = FilmFacts("tiff", bits_stored=page.bitspersample, frames=frames, source_is_colour=coloured)
    return Film(_upright(shown, page), facts)


def _grey(pixels: NDArray[Any]) -> tuple[Numbers, bool]:
    """Grey (H, W) of a page of 1 to 4 samples a pixel, of its own dtype, and whether it was coloured."""
    if pixels.ndim == 2:
        if pixels.dtype.kind == "f" and not np.isfinite(pixels.astype(np.float64)).all():
            raise damaged("its TIFF pixels are not all finite numbers")
        return pixels, False
    if pixels.dtype not in (np.uint8, np.uint16):
        raise unsupported(f"a colour TIFF of {pixels.dtype} samples")
    samples = pixels.astype(pixels.dtype.newbyteorder("="))
    if samples.shape[2] < 3:
        grey, coloured = np.ascontiguousarray(samples[..., 0]), False
    else:
        grey, coloured = grey_of_bgr(np.ascontiguousarray(samples[..., 2::-1]))
    return (on_black(grey, samples[..., -1]) if samples.shape[2] in (2, 4) else grey), coloured


def _upright(pixels: GreyPixels, page: tifffile.TiffPage) -> GreyPixels:
    """Turn a page as its Orientation tag says (TIFF 6.0, section 8): where row 0 and column 0 belong."""
    tag = page.tags.get(ORIENTATION)
    orientation = tag.value if tag is not None else 1
    if orientation in (5, 6, 7, 8):
        pixels = pixels.T
        orientation = {5: 1, 6: 2, 7: 3, 8: 4}[orientation]
    if orientation in (3, 4):
        pixels = pixels[::-1]
    if orientation in (2, 3):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
