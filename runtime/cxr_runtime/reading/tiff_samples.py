"""One grey channel out of the samples of a TIFF page: palettes, chroma, transparency, samples of no use."""

from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from cxr_runtime.reading.failure import damaged, truncated, unsupported
from cxr_runtime.reading.grey import Numbers, grey_of_bgr, on_black

MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6  # PhotometricInterpretation (section 8)
SHOWN = {MIN_IS_WHITE: 1, MIN_IS_BLACK: 1, RGB: 3, PALETTE: 1, YCBCR: 3}  # samples of one pixel, at least
JPEG = 7  # Compression; its decoder converts chroma
UNASSOCIATED_ALPHA = (
    2  # ExtraSamples (section 18); associated alpha has been multiplied in, i.e. lies on black
)
SUBSAMPLING, REFERENCE_BLACK_WHITE = 530, 532  # tags (sections 20 and 21)
RED, GREEN, BLUE = (0.0, 1.402), (-0.344136, -0.714136), (1.772, 0.0)  # of Cb and Cr; ITU-R BT.601

Page = tifffile.TiffPage
Pixels = NDArray[Any]  # (rows, columns) or (rows, columns, samples)


def grey_of_page(page: Page, content: bytes) -> Numbers:
    """Decode a page that has been checked.

    Args:
        page: of a codec and photometric interpretation that are read.
        content: the whole file.

    Returns:
        (rows, columns) samples of the page's own depth, transparency on black.

    Raises:
        UnreadableFilmError: `damaged`, `truncated` or `unsupported`.
    """
    if page.photometric == YCBCR and page.compression != JPEG:
        return _grey_of_chroma(_ycbcr(page, content), page)
    pixels = page.asarray()
    if page.axes.startswith("S"):
        pixels = np.moveaxis(pixels, 0, -1)
    if page.photometric == PALETTE and page.colormap is not None:
        pixels = _looked_up(pixels, np.asarray(page.colormap))
    elif page.bitspersample < 8:
        pixels = pixels.astype(np.uint8) * np.uint8(255 // ((1 << page.bitspersample) - 1))
    return _grey(pixels, page)


def _looked_up(indices: Pixels, palette: Pixels) -> Pixels:
    """(rows, columns, 3) uint16; some writers fill the 16 bits of a palette (3, n) only up to 255."""
    if palette.max() < 256:
        palette = palette * np.uint16(257)
    return np.moveaxis(palette[:, indices], 0, -1)


def _grey(pixels: Pixels, page: Page) -> Numbers:
    if pixels.ndim == 2:
        if pixels.dtype.kind == "f" and not np.isfinite(pixels.astype(np.float64)).all():
            raise damaged("its TIFF pixels are not all finite numbers")
        return pixels
    if pixels.dtype not in (np.uint8, np.uint16):
        raise unsupported(f"a colour TIFF of {pixels.dtype} samples")
    samples = pixels.astype(pixels.dtype.newbyteorder("="))
    if SHOWN[page.photometric] == 3 or page.photometric == PALETTE:
        if samples.shape[2] < 3:
            raise damaged("its TIFF page states a colour picture but holds one sample a pixel")
        grey = grey_of_bgr(np.ascontiguousarray(samples[..., 2::-1]))
    else:
        grey = np.ascontiguousarray(samples[..., 0])
    extra = [int(kind) for kind in page.extrasamples]
    if UNASSOCIATED_ALPHA in extra:
        grey = on_black(grey, samples[..., extra.index(UNASSOCIATED_ALPHA) - len(extra)])
    return grey


def _ycbcr(page: Page, content: bytes) -> Pixels:
    """Luma and chroma as stored, (rows, columns, 3) uint8."""
    if page.bitspersample != 8 or page.samplesperpixel != 3:
        raise unsupported(
            f"a TIFF page of YCbCr with {page.samplesperpixel} samples of {page.bitspersample} bits"
        )
    tag = page.tags.get(SUBSAMPLING)
    across, down = tag.value if tag is not None else (2, 2)
    if (across, down) == (1, 1):
        pixels = page.asarray()
        return np.moveaxis(pixels, 0, -1) if page.axes.startswith("S") else pixels
    if page.is_tiled or page.planarconfig != 1 or not {across, down} <= {1, 2, 4}:
        raise unsupported("a TIFF page of YCbCr in tiles or planes, with chroma of another resolution,")
    rows_a_strip = min(page.rowsperstrip, page.imagelength)
    strips = [
        _strip(page, content[offset : offset + count], rows_a_strip, across, down)
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
    ]
    pixels = np.concatenate(strips)[: page.imagelength, : page.imagewidth]
    if pixels.shape[0] < page.imagelength:
        raise truncated("TIFF strips are too short")
    return pixels


def _strip(page: Page, coded: bytes, rows: int, across: int, down: int) -> Pixels:
    """One strip of data units: `across` x `down` luma samples, then the Cb and Cr they share (section 21)."""
    decoded = coded if page.compression == 1 else tifffile.TIFF.DECOMPRESSORS[page.compression](coded)
    columns, size = -(-page.imagewidth // across), across * down + 2
    units = np.frombuffer(decoded, np.uint8)
    units = units[: len(units) // (columns * size) * columns * size].reshape(-1, columns, size)
    units = units[: -(-rows // down)]
    luma = units[..., :-2].reshape(len(units), columns, down, across).swapaxes(1, 2)
    chroma = units[..., -2:].repeat(down, axis=0).repeat(across, axis=1)
    return np.dstack([luma.reshape(len(units) * down, columns * across), chroma])


def _grey_of_chroma(ycbcr: Pixels, page: Page) -> Numbers:
    """Luminance of (rows, columns, 3) luma and chroma."""
    tag = page.tags.get(REFERENCE_BLACK_WHITE)
    reference = (
        [a / b if b else 0.0 for a, b in zip(tag.value[::2], tag.value[1::2], strict=True)] if tag else []
    )
    black, white = reference[:2] if len(reference) == 6 and reference[1] > reference[0] else (0.0, 255.0)
    luma = (ycbcr[..., 0].astype(np.float32) - black) * (255 / (white - black))
    cb, cr = (ycbcr[..., channel].astype(np.float32) - 128 for channel in (1, 2))
    bgr = np.stack([luma + weights[0] * cb + weights[1] * cr for weights in (BLUE, GREEN, RED)], axis=2)
    return grey_of_bgr(np.clip(np.round(bgr), 0, 255).astype(np.uint8))
