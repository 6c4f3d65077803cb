"""Films as another screen or exporter would give them: through another gamma; for rehearsing drift.

python -m cxr_calibration.gamma FILMS OUT GAMMA
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from cxr_runtime.errors import FilmError, UsageError
from cxr_runtime.film import GreyPixels
from cxr_runtime.program import run_program
from cxr_runtime.reading import read_film
from cxr_runtime.sources.find import find_films


def through_gamma(pixels: GreyPixels, gamma: float) -> GreyPixels:
    """Grey levels raised to a power; black and white stay.

    Args:
        pixels: (rows, columns) uint8.
        gamma: above 1 darkens, below 1 brightens.
    """
    levels = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return levels[pixels]


def write_films(films: Path, out: Path, gamma: float) -> int:
    """Write every film below a folder that can be read as PNG; the number of films written.

    Raises:
        UsageError: the folder does not exist, or gamma is not positive.
    """
    if gamma <= 0:
        raise UsageError(f"gamma is {gamma}; expected a number above 0, e.g. 1.4")
    out.mkdir(parents=True, exist_ok=True)
    written = 0
    for number, source in enumerate(find_films([str(films)], exclude=out).sources):
        try:
            pixels = read_film(source.read_bytes()).pixels
        except FilmError:
            continue
        written += cv2.imwrite(str(out / f"{number:06}.png"), through_gamma(pixels, gamma))
    return written


def main(arguments: Sequence[str] | None = None) -> str:
    """Write films as a command line asks; returns the line that is printed."""
    parser = argparse.ArgumentParser("cxr_calibration.gamma", description="Films through another gamma.")
    parser.add_argument("films", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("gamma", type=float)
    asked = parser.parse_args(arguments)
    return f"{write_films(asked.films, asked.out, asked.gamma)} films in {asked.out}"


if __name__ == "__main__":
    run_program(lambda: print(main()))  # noqa: T201
