"""Drawn films with drawn lungs, for tests."""

from pathlib import Path

import cv2
import numpy as np

from cxr_runtime.film import View
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.phantom.body import draw_lots
from cxr_runtime.phantom.canvas import Canvas
from cxr_runtime.phantom.tissue import lung_area
from cxr_train.small.lungs.sampling import OutlinedFilm

HW = (192, 192)


def outlined_films(count: int) -> list[OutlinedFilm]:
    """So many phantoms of different persons, 192 x 192, with their lungs."""
    return [_outlined_film(seed) for seed in range(count)]


def write_outlined_films(folder: Path, count: int) -> Path:
    """Such films and a table of them, in a folder that is there; returns the table."""
    lines = ["file,lung_mask"]
    for film in outlined_films(count):
        lines.append(f"{film.name},lungs-{film.name}")
        cv2.imwrite(str(folder / film.name), film.pixels)
        cv2.imwrite(str(folder / f"lungs-{film.name}"), film.mask)
    table = folder / "table.csv"
    table.write_text("\n".join(lines), encoding="utf-8")
    return table


def _outlined_film(seed: int) -> OutlinedFilm:
    body = draw_lots(np.random.default_rng(seed), View.PA, male=True)
    lungs = np.round(255 * np.clip(lung_area(Canvas(HW), body), 0, 1)).astype(np.uint8)
    return OutlinedFilm(f"phantom-{seed}.png", draw_phantom(seed, hw=HW), lungs)
