"""Data sets of drawn films, for tests of training."""

import csv
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 64  # pixels


def draw_film(abnormal: bool, seed: int) -> tuple[NDArray[np.uint8], tuple[float, float, float, float]]:
    """Two dark lungs, a white disc in one of them where abnormal; and its box as shares of the sides."""
    rng = np.random.default_rng(seed)
    film = np.full((SIDE, SIDE), 150, np.uint8)
    for x in (20, 44):
        cv2.ellipse(film, (x, 32), (9, 20), 0, 0, 360, (60,), -1)
    x, y = int(rng.choice([20, 44])), int(rng.integers(22, 42))
    if abnormal:
        cv2.circle(film, (x, y), 6, (250,), -1)
    film = np.clip(film + rng.normal(0, 6, film.shape), 0, 255).astype(np.uint8)
    return film, ((x - 6) / SIDE, (y - 6) / SIDE, (x + 7) / SIDE, (y + 7) / SIDE)


def write_film(path: Path, abnormal: bool, seed: int) -> tuple[float, float, float, float]:
    """Write a drawn film as PNG and return its box."""
    path.parent.mkdir(parents=True, exist_ok=True)
    film, box = draw_film(abnormal, seed)
    path.write_bytes(cv2.imencode(".png", film)[1].tobytes())
    return box


def write_data_set(
    folder: Path,
    films: int = 60,
    films_a_patient: int = 2,
    sites: tuple[str, str] = ("here", "there"),
    first_seed: int = 0,
) -> Path:
    """A CSV of drawn films, half of them abnormal and these with boxes; returns the CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "drawn.csv"
    with table.open("w", encoding="utf-8", newline="") as lines:
        rows = csv.writer(lines)
        rows.writerow(
            ("file", "label", "patient", "view", "sex", "age", "site", "truth", "findings", "boxes")
        )
        for number in range(films):
            abnormal = number // films_a_patient % 2 == 1
            box = write_film(folder / f"{number:03d}.png", abnormal, first_seed + number)
            rows.writerow(
                (
                    f"{number:03d}.png",
                    int(abnormal),
                    f"p{number // films_a_patient}",
                    ("PA", "AP")[number % 2],
                    ("F", "M")[number // 4 % 2],
                    20 + number,
                    sites[number // 8 % 2],
                    "radiologist",
                    "Mass" if abnormal else "No Finding",
                    str([list(box)]) if abnormal else "",
                )
            )
    return table
