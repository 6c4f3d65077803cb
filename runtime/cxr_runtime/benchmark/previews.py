"""What the film that a store keeps has lost, and what it costs, by the quality of its JPEG."""

import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.benchmark.engines import median_seconds
from cxr_runtime.film import GreyPixels, at_reading_size
from cxr_runtime.pictures import WHOLE_QUALITY, decode_jpeg, encode_jpeg, jpeg_hw, kept_jpeg

ZOOM = 2  # of a film at reading size, by straight lines between its pixels, as browsers do it
SQUARE = 8  # pixels (ITU T.81, A.1.1)
MARKS = 30  # lines that are drawn into a film, and nodules
NODULE_SIGMA = 5.0  # pixels
EVEN_SLOPE = 1.0  # grey levels a pixel; steeper parts are not even
EVEN_GREY = (25, 230)  # darker and brighter parts are not of the body, or burnt out
COARSE_SIGMA = 3.0  # pixels
SSIM_SIGMA, SSIM_MIDDLE, SSIM_SPREAD = 1.5, (0.01 * 255) ** 2, (0.03 * 255) ** 2  # Wang and others, 2004
HEAD = (
    "quality", "longer side", "kB", "PSNR, dB", "SSIM", "squares", "even parts off by",
    "line of 2", "line of 4", "nodule of 4", "ms to write", "ms to read",
)  # fmt: skip

Plane = NDArray[np.float32]  # (rows, columns), grey levels
Encoder = Callable[[GreyPixels], bytes]


@dataclass(frozen=True)
class Loss:
    """Of one film, against the film at reading size; all but the squares as it is shown enlarged by ZOOM."""

    kilobytes: float  # of 1,000
    psnr: float  # dB
    ssim: float
    squares: float  # by how many grey levels steps across squares' borders exceed those within, in even parts
    unevenness: float  # grey levels by which even parts are off, root mean square, coarser than COARSE_SIGMA
    line_of_2: float  # contrast that is left of lines of 2 grey levels, 1 to 3 pixels wide, per cent
    line_of_4: float
    nodule_of_4: float
    write_ms: float  # of a core
    read_ms: float


def preview_table(films: Sequence[GreyPixels], qualities: Sequence[int]) -> str:
    """What each quality loses and costs; those that make a film smaller at reading size, too, for comparison.

    Args:
        films: (rows, columns) uint8, 400 pixels a side or more.
        qualities: 60 to 95.
    """
    lines = [f"| {' | '.join(HEAD)} |", "|" + " ---: |" * len(HEAD)]
    reduced = [at_reading_size(film) for film in films]
    for quality in qualities:
        lines.append(_row(quality, reduced, partial(kept_jpeg, quality=quality)))
        if quality < WHOLE_QUALITY:
            lines.append(_row(quality, reduced, partial(encode_jpeg, quality=quality)))
    return "\n".join(lines)


def _row(quality: int, films: Sequence[GreyPixels], encode: Encoder) -> str:
    losses = np.mean([astuple(loss_of(film, encode, seed)) for seed, film in enumerate(films)], axis=0)
    side = max(max(jpeg_hw(encode(film))) for film in films)
    shown = (
        "{:.0f}",
        "{:.1f}",
        "{:.3f}",
        "{:.2f}",
        "{:.2f}",
        "{:.0f} %",
        "{:.0f} %",
        "{:.0f} %",
        "{:.1f}",
        "{:.1f}",
    )
    cells = [how.format(value) for how, value in zip(shown, losses, strict=True)]
    return f"| {' | '.join([str(quality), str(side), *cells])} |"


def loss_of(film: GreyPixels, encode: Encoder, seed: int = 0) -> Loss:
    """What a film has lost once it is encoded.

    Args:
        film: (rows, columns) uint8, at reading size.
        encode: makes a grey JPEG of it, at its size or smaller.
        seed: where lines and nodules are drawn.
    """
    content, even, rng = encode(film), even_parts(film), np.random.default_rng(seed)
    wanted, got = _enlarged(film, film.shape), _enlarged(decode_jpeg(content), film.shape)
    lines, nodules = _lines(film.shape, rng), _nodules(film.shape, rng)
    error = cv2.resize(got - wanted, film.shape[::-1], interpolation=cv2.INTER_AREA)
    coarse = cv2.GaussianBlur(error, (0, 0), COARSE_SIGMA)[even]
    return Loss(
        len(content) / 1000,
        float(10 * np.log10(255**2 / np.mean((got - wanted) ** 2))),
        _ssim(got, wanted),
        squares(decode_jpeg(content), even),
        float(np.sqrt(np.mean(coarse**2))),
        _left(film, encode, got, 2 * lines),
        _left(film, encode, got, 4 * lines),
        _left(film, encode, got, 4 * nodules),
        1000 * median_seconds(lambda: encode(film), 0, clock=time.process_time),
        1000 * median_seconds(lambda: decode_jpeg(content), 0, clock=time.process_time),
    )


def squares(shown: GreyPixels, even: NDArray[np.bool_]) -> float:
    """By how many grey levels steps between neighbours are larger across the borders of JPEG's squares.

    Args:
        shown: (rows, columns) uint8, as decoded.
        even: where there is little but grain, of the same proportions.
    """
    where = cv2.resize(even.astype(np.uint8), shown.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    excess = []
    for pixels, counted in ((shown, where[:, 1:]), (shown.T, where.T[:, 1:])):
        steps = np.abs(np.diff(pixels.astype(np.float32), axis=1))
        is_border = np.arange(1, pixels.shape[1]) % SQUARE == 0
        across, within = (steps[:, kind][counted[:, kind]].mean() for kind in (is_border, ~is_border))
        excess.append(float(across - within))
    return sum(excess) / 2


def even_parts(film: GreyPixels) -> NDArray[np.bool_]:
    """Where a film is even but for its grain, as a mask of its size; a tenth at each side does not count."""
    smooth = cv2.GaussianBlur(film.astype(np.float32), (0, 0), 2)
    slopes = [np.abs(cv2.Sobel(smooth, cv2.CV_32F, *order)) / 8 for order in ((1, 0), (0, 1))]
    is_even = (
        (cv2.blur(slopes[0] + slopes[1], (16, 16)) < EVEN_SLOPE)
        & (smooth > EVEN_GREY[0])
        & (smooth < EVEN_GREY[1])
    )
    rows, columns = film.shape
    inner = np.zeros(film.shape, np.bool_)
    inner[rows // 10 : -(rows // 10), columns // 10 : -(columns // 10)] = True
    return is_even & inner


def _places(hw: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Columns and rows where the marks lie, (MARKS, 2): over lungs and heart, about."""
    sides = np.array(hw[::-1])
    return rng.uniform(0.2 * sides, 0.75 * sides, (MARKS, 2))


def _lines(hw: tuple[int, ...], rng: np.random.Generator) -> Plane:
    drawn = np.zeros(hw, np.uint8)
    for middle in _places(hw, rng):
        angle, half = rng.uniform(0, np.pi), rng.uniform(20, 45)
        along = half * np.array([np.cos(angle), np.sin(angle)])
        ends = [tuple(map(int, 16 * end)) for end in (middle - along, middle + along)]
        cv2.line(drawn, ends[0], ends[1], 255, int(rng.integers(1, 4)), cv2.LINE_AA, 4)
    return np.asarray(drawn / 255, np.float32)


def _nodules(hw: tuple[int, ...], rng: np.random.Generator) -> Plane:
    dots = np.zeros(hw, np.float32)
    for column, row in _places(hw, rng).astype(int):
        dots[row, column] = 2 * np.pi * NODULE_SIGMA**2
    return np.minimum(cv2.GaussianBlur(dots, (0, 0), NODULE_SIGMA), 1)


def _left(film: GreyPixels, encode: Encoder, got: Plane, marks: Plane) -> float:
    """How much of marks is left, per cent: what they change, laid over what they should change."""
    marked = np.rint(np.clip(film + marks, 0, 255)).astype(np.uint8)
    wanted = _enlarged(marked.astype(np.float32) - film, film.shape)
    change = _enlarged(decode_jpeg(encode(marked)), film.shape) - got
    return float(100 * np.sum(change * wanted) / np.sum(wanted**2))


def _enlarged(pixels: NDArray[np.uint8] | Plane, hw: tuple[int, ...]) -> Plane:
    size = ZOOM * hw[1], ZOOM * hw[0]
    return np.asarray(cv2.resize(pixels.astype(np.float32), size, interpolation=cv2.INTER_LINEAR), np.float32)


def _ssim(one: Plane, other: Plane) -> float:
    """Mean structural similarity."""
    means = [cv2.GaussianBlur(plane, (0, 0), SSIM_SIGMA) for plane in (one, other)]
    products = [
        cv2.GaussianBlur(a * b, (0, 0), SSIM_SIGMA) for a, b in ((one, one), (other, other), (one, other))
    ]
    spreads = products[0] + products[1] - means[0] ** 2 - means[1] ** 2
    middle = (2 * means[0] * means[1] + SSIM_MIDDLE) / (means[0] ** 2 + means[1] ** 2 + SSIM_MIDDLE)
    spread = (2 * (products[2] - means[0] * means[1]) + SSIM_SPREAD) / (spreads + SSIM_SPREAD)
    return float(np.mean(middle * spread))
