"""Drawn chest films with labels and boxes, to try every command before one's own films are there."""

import json
from pathlib import Path

import cv2
import numpy as np

from cxr_calibration.labels.film_csv import csv_bytes
from cxr_runtime.atomic import write_bytes
from cxr_runtime.film import View
from cxr_runtime.phantom import OpacitySpot, draw_phantom

FILMS_FILE = "films.csv"
HW = (256, 224)  # rows and columns of a film
RADIUS = (0.06, 0.11)  # of a shadow, as a share of the film's short side
COLUMNS = ("file", "label", "patient", "view", "sex", "boxes")


def draw_data_set(folder: Path, films: int, seed: int = 0) -> Path:
    """Draw films of so many people, every second one with a shadow over a lung and a box around it.

    Args:
        folder: for the films and films.csv; made where it is missing.
        films: how many.
        seed: the first person; another one gives other people.

    Returns:
        The table.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[tuple[object, ...]] = [COLUMNS]
    for person in range(seed, seed + films):
        rng = np.random.default_rng((person, 7))
        spot = _spot(rng) if person % 2 else None
        view, male = (View.PA, View.AP)[person // 2 % 2], bool(person // 4 % 2)
        film = draw_phantom(person, hw=HW, opacity=spot, view=view, male=male)
        name = f"film-{person:04d}.png"
        write_bytes(folder / name, cv2.imencode(".png", film)[1].tobytes())
        boxes = "" if spot is None else json.dumps([_box(spot)])
        rows.append((name, int(spot is not None), f"p{person}", view.value, "M" if male else "F", boxes))
    write_bytes(folder / FILMS_FILE, csv_bytes(rows))
    return folder / FILMS_FILE


def _spot(rng: np.random.Generator) -> OpacitySpot:
    left = bool(rng.integers(2))
    x = float(rng.uniform(0.24, 0.36))
    return OpacitySpot(1 - x if left else x, float(rng.uniform(0.3, 0.6)), float(rng.uniform(*RADIUS)), 0.9)


def _box(spot: OpacitySpot) -> tuple[float, ...]:
    """The square around a shadow, as shares of width and height."""
    rows, columns = HW
    wide, high = spot.radius * min(HW) / columns, spot.radius * min(HW) / rows
    return tuple(round(edge, 4) for edge in (spot.x - wide, spot.y - high, spot.x + wide, spot.y + high))
