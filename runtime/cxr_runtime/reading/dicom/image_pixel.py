"""The Image Pixel module (PS3.3 C.7.6.3), completed by what the pixel data themselves say."""

from dataclasses import dataclass

from pydicom import Dataset

from cxr_runtime.reading.dicom.frames import FrameHeader
from cxr_runtime.reading.dicom.header import integer, keyword
from cxr_runtime.reading.dicom.syntaxes import Codec
from cxr_runtime.reading.failure import check_size, damaged, truncated, unsupported

GREY = ("MONOCHROME1", "MONOCHROME2")
PALETTE, HALVED = "PALETTE COLOR", "YBR_FULL_422"
PARTIAL = ("YBR_PARTIAL_420", "YBR_PARTIAL_422")  # in compressed frames only
COLOUR = ("RGB", "YBR_FULL", HALVED, *PARTIAL, "YBR_RCT", "YBR_ICT")
ALLOCATED = (1, 8, 16, 32)  # bits of an uncompressed sample
TOO_LONG = (
    0.05  # share by which pixel data may exceed what the header asks for; beyond it the header is wrong
)


@dataclass(frozen=True)
class ImagePixel:
    """How pixel data are to be read."""

    rows: int
    columns: int
    samples: int  # of one pixel, 1 or 3
    photometric: str  # one of GREY and COLOUR, or PALETTE
    allocated: int
    stored: int
    high: int
    is_signed: bool | None  # None: not stated
    is_planar: bool
    frames: int
    padding: tuple[int, int] | None  # values of pixels, both included, that are not part of the film


def frames_of(ds: Dataset) -> int:
    """Number of Frames, at least 1."""
    return max(1, integer(ds, "NumberOfFrames") or 1)


def native_length(ds: Dataset) -> int:
    """Bytes of uncompressed pixel data that the header asks for, an even number; 0 where it does not say."""
    pixels = (integer(ds, "Rows") or 0) * (integer(ds, "Columns") or 0) * frames_of(ds)
    bits = pixels * (integer(ds, "SamplesPerPixel") or 1) * (integer(ds, "BitsAllocated") or 0)
    return (bits + 15) // 16 * 2


def native_module(ds: Dataset, length: int) -> ImagePixel:
    """The module of uncompressed pixel data of `length` bytes; what is missing follows from their length.

    Raises:
        UnreadableFilmError: `truncated`, `damaged`, `unsupported`, `no-pixels` or `too-large`.
    """
    frames, stated = frames_of(ds), _stated_photometric(ds)
    samples = integer(ds, "SamplesPerPixel") or (3 if stated in COLOUR else 1)
    rows, columns = integer(ds, "Rows"), integer(ds, "Columns")
    allocated = integer(ds, "BitsAllocated") or _fitting(
        length, (rows or 1) * (columns or 1) * samples * frames
    )
    if allocated not in ALLOCATED:
        raise unsupported(f"a DICOM picture of {allocated} bits a sample")
    pixels = length * 8 // (samples * allocated * frames)
    rows, columns = _sides(rows or _side(rows, columns, pixels), columns or _side(columns, rows, pixels))
    bits = rows * columns * frames * allocated
    if samples == 3 and stated in GREY and length - 1 <= (bits + 7) // 8 <= length:
        samples = 1
    is_halved = stated == HALVED and length * 8 < bits * samples
    needed = bits * samples * 2 // 3 if is_halved else bits * samples  # two pixels share chroma (C.7.6.3.1.2)
    _check_length(length, (needed + 7) // 8)
    if stated in PARTIAL:
        raise unsupported(f"the photometric interpretation {stated}")
    if stated == HALVED and not is_halved:
        stated = "YBR_FULL"
    return _module(
        ds, (rows, columns), samples, stated or ("" if samples == 1 else "RGB"), allocated, allocated
    )


def _fitting(length: int, samples: int) -> int:
    """Bits allocated for each of so many samples in so many bytes."""
    return next((bits for bits in ALLOCATED[1:] if length - 1 <= samples * bits // 8 <= length), 8)


def _side(stated: int | None, other: int | None, pixels: int) -> int | None:
    """Rows or columns; where they are missing, from the other side and the number of pixels."""
    return pixels // other if stated is None and other else stated


def _sides(rows: int | None, columns: int | None) -> tuple[int, int]:
    if rows is None or columns is None:
        raise damaged("its DICOM header does not state rows and columns")
    check_size(rows, columns)
    return rows, columns


def _check_length(length: int, needed: int) -> None:
    if length < needed:
        raise truncated(f"it holds {length} of {needed} bytes of pixel data")
    if length > needed * (1 + TOO_LONG) + 1:
        raise damaged(f"its header asks for {needed} bytes of pixel data but it holds {length}")


def coded_module(ds: Dataset, header: FrameHeader, stream: bytes) -> ImagePixel:
    """The module of a compressed frame; where the frame makes a statement of its own, that counts.

    Raises:
        UnreadableFilmError: `damaged`, `unsupported`, `no-pixels` or `too-large`.
    """
    stated = _stated_photometric(ds)
    samples = integer(ds, "SamplesPerPixel") or (3 if stated in COLOUR else 1)
    allocated = integer(ds, "BitsAllocated") or (8 if (header.bits or 8) <= 8 else 16)
    if header.codec is Codec.RLE:
        samples, allocated = _rle_samples(stream, samples, allocated, is_colour=stated in COLOUR)
    rows, columns = integer(ds, "Rows"), integer(ds, "Columns")
    rows, columns = _sides(
        header.rows if rows is None else rows, header.columns if columns is None else columns
    )
    return _module(
        ds, (rows, columns), header.components or samples, stated, allocated, header.bits or allocated
    )


def _rle_samples(stream: bytes, samples: int, allocated: int, *, is_colour: bool) -> tuple[int, int]:
    """Samples of a pixel and bits of a sample; the number of segments counts (PS3.5 annex G.2)."""
    segments = int.from_bytes(stream[:4], "little")
    if segments * 8 == samples * allocated or segments not in (1, 2, 3, 4, 6):
        return samples, allocated
    samples = 3 if is_colour and segments % 3 == 0 else 1
    return samples, segments * 8 // samples


def _stated_photometric(ds: Dataset) -> str:
    """Photometric Interpretation as the standard writes it; "" where it is missing."""
    stated = keyword(ds, "PhotometricInterpretation").replace(" ", "").replace("PALETTECOLOR", PALETTE)
    if stated and stated not in (*GREY, *COLOUR, PALETTE):
        raise unsupported(f"the photometric interpretation {stated}")
    return stated


def _module(
    ds: Dataset, hw: tuple[int, int], samples: int, stated: str, allocated: int, held: int
) -> ImagePixel:
    stored, high = integer(ds, "BitsStored") or held, integer(ds, "HighBit")
    if not 1 <= stored <= max(held, allocated):
        raise damaged(f"it states {stored} bits stored in {allocated} allocated")
    is_signed = (
        {0: False, 1: True}.get(integer(ds, "PixelRepresentation") or 0)
        if "PixelRepresentation" in ds
        else None
    )
    return ImagePixel(
        *hw,
        samples=samples,
        photometric=_photometric(stated, samples),
        allocated=allocated,
        stored=stored,
        high=stored - 1 if high is None else high,
        is_signed=is_signed,
        is_planar=integer(ds, "PlanarConfiguration") == 1,
        frames=frames_of(ds),
        padding=_padding(ds, allocated, stored, is_signed=bool(is_signed)),
    )


def _photometric(stated: str, samples: int) -> str:
    """The photometric interpretation; by the number of samples where it is missing or cannot be true."""
    if samples == 1:
        return "MONOCHROME2" if stated in ("", *COLOUR) else stated
    if samples != 3:
        raise unsupported(f"a DICOM picture of {samples} samples a pixel")
    if stated in ("MONOCHROME1", PALETTE):
        raise damaged(f"it states {stated} but holds {samples} samples a pixel")
    return stated if stated in COLOUR else "YBR_FULL"


def _padding(ds: Dataset, allocated: int, stored: int, *, is_signed: bool) -> tuple[int, int] | None:
    """Pixel Padding Value and Range Limit (PS3.3 C.7.5.1.1.2) with the sign of the pixels, in any VR."""
    value, limit = integer(ds, "PixelPaddingValue"), integer(ds, "PixelPaddingRangeLimit")
    if value is None:
        return None
    ends = [
        _as_pixel(end, allocated, stored, is_signed=is_signed) for end in (value, limit) if end is not None
    ]
    return min(ends), max(ends)


def _as_pixel(value: int, allocated: int, stored: int, *, is_signed: bool) -> int:
    if not is_signed:
        return value + (1 << allocated) if value < 0 else value
    half = 1 << (stored - 1)
    if value < half:
        return value
    return value - 2 * half if value < 2 * half else value - (1 << allocated)
