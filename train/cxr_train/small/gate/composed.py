"""Films among other things: framed, photographed, shown on a screen, several on one page."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_train.small.gate.drawn import draw_noise, draw_page, draw_pattern, draw_skull

Grey = NDArray[np.float32]  # (h, w), 0 black .. 1 white

WIDEST = 0.16  # share of the side that a frame may cover, on each side
MOST_TURN = 4.0  # degrees
BELOW_LUNGS = 0.8  # share of a film's height below which there is more belly than lung
SEAM = 4  # rows to either side of a seam in which it is blurred
SCREENS = (1.0, 5 / 4, 4 / 3, 16 / 10, 16 / 9)  # width to height of a screen, or of a window on it


def collimate(rng: np.random.Generator, film: Grey) -> Grey:
    """Lay a frame over a film: black, white, or the film itself veiled.

    Args:
        rng: every draw comes from it.
        film: (h, w) float32 in 0..1.

    Returns:
        (h, w) float32 in 0..1.
    """
    height, width = film.shape
    left, top, right, bottom = rng.uniform(-0.03, WIDEST, 4)
    corners = np.array([(left, top), (1 - right, top), (1 - right, 1 - bottom), (left, 1 - bottom)])
    corners += rng.normal(0, 0.008, corners.shape)
    angle = np.deg2rad(rng.uniform(-MOST_TURN, MOST_TURN))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (((corners - 0.5) @ turn.T + 0.5) * (width, height)).astype(np.int32)
    inside = cv2.fillConvexPoly(np.zeros((height, width), np.uint8), points, 255)
    softness = float(rng.uniform(0.2, 0.012 * width))
    shown = np.asarray(cv2.GaussianBlur(inside, (0, 0), softness) / 255, np.float32)
    return np.asarray(film * shown + _beyond(rng, film) * (1 - shown), np.float32)


def _beyond(rng: np.random.Generator, film: Grey) -> Grey:
    """What lies beyond the frame's edge."""
    tone = np.float32(
        rng.choice([rng.uniform(0, 0.1), rng.uniform(0.8, 1), rng.uniform(0.2, 0.8)], p=[0.45, 0.45, 0.1])
    )
    veil = np.float32(rng.choice([0.0, rng.uniform(0, 0.3)]))
    return np.asarray(tone * (1 - veil) + film * veil, np.float32)


def photograph(rng: np.random.Generator, film: Grey, surroundings: Grey | None) -> Grey:
    """A photograph of a film hung up or on a screen: askew, with its surroundings, glare and moire.

    Args:
        rng: every draw comes from it.
        film: (side, side) float32 in 0..1.
        surroundings: (side, side) float32 in 0..1, what lies around it; drawn when None.
    """
    side = film.shape[0]
    around = _surroundings(rng, side) if surroundings is None else surroundings
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32) * side
    share = rng.uniform(0.55, 0.88)
    middle = np.array([0.5, 0.5]) + rng.uniform(-1, 1, 2) * (1 - share) / 2
    spread = (corners / side - 0.5) * share * rng.uniform(0.85, 1.1, 2) + rng.uniform(-0.07, 0.07, (4, 2))
    angle = np.deg2rad(rng.normal(0, 6))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    target = ((spread @ turn.T + middle) * side).astype(np.float32)
    view = cv2.getPerspectiveTransform(corners, target)
    laid = cv2.warpPerspective(film, view, (side, side), flags=cv2.INTER_LINEAR)
    cover = cv2.warpPerspective(np.ones_like(film), view, (side, side), flags=cv2.INTER_LINEAR)
    rim = cv2.dilate(cover, np.ones((3, 3), np.uint8), iterations=int(rng.integers(1, 6)))
    tone = float(rng.choice([0.0, 0.1, 0.9, 1.0]))
    scene = around * (1 - rim) + tone * (rim - cover) + laid * cover
    return np.clip(_light(rng, scene), 0, 1).astype(np.float32)


def screen(rng: np.random.Generator, film: Grey) -> Grey:
    """A screenshot of a viewer: title, tool bar, side panel, text, and the film in its window.

    The screen may be wide; it is squashed to a square, as the gate's network sees any picture.
    """
    side = film.shape[0]
    across = round(side * float(rng.choice(SCREENS)))
    page = np.full((side, across), int(rng.choice([0, 30, 60, 200, 240, 255])), np.uint8)
    top, bottom, left, right = (
        int(share * whole)
        for share, whole in zip(
            rng.uniform((0.04, 0, 0, 0), (0.2, 0.14, 0.3, 0.3)), (side, side, across, across), strict=True
        )
    )
    bars = [
        (0, 0, across, top),
        (0, side - bottom, across, side),
        (0, top, left, side),
        (across - right, top, across, side),
    ]
    for x0, y0, x1, y1 in bars:
        page[y0:y1, x0:x1] = int(rng.uniform(0, 255))
        _furnish(rng, page, (x0, y0, x1, y1))
    width, height = across - left - right, side - top - bottom
    if rng.random() < 0.7:
        width = height = min(width, height)
    x, y = left + int(rng.uniform(0, across - left - right - width + 1)), top
    shown = cv2.resize((film * 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_AREA)
    page[y : y + height, x : x + width] = shown
    if rng.random() < 0.5:
        _furnish(rng, page, (x, y, x + width // 3, y + height // 5))
    squashed = cv2.resize(page, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(squashed / 255, np.float32)


def several(rng: np.random.Generator, films: list[Grey]) -> Grey:
    """Two to four films on one page, side by side, one above the other, or in a square.

    Args:
        rng: every draw comes from it.
        films: four pictures, (side, side) float32 each; as many as are needed are used.
    """
    side = films[0].shape[0]
    columns, rows = ((2, 1), (2, 1), (1, 2), (2, 2), (3, 1))[int(rng.integers(5))]
    gap = int(rng.choice([0, 0.01, 0.04]) * side)
    page = np.full((side, side), float(rng.choice([0.0, 0.5, 1.0])), np.float32)
    width, height = (side - gap * (columns - 1)) // columns, (side - gap * (rows - 1)) // rows
    for cell in range(columns * rows):
        x, y = (cell % columns) * (width + gap), (cell // columns) * (height + gap)
        film = films[cell]
        page[y : y + height, x : x + width] = cv2.resize(film, (width, height), interpolation=cv2.INTER_AREA)
    return page


def whole_body(rng: np.random.Generator, film: Grey, below: Grey) -> Grey:
    """A body from the head down, of which the chest is a part: no chest film, though a chest is on it.

    Args:
        rng: every draw comes from it.
        film: (side, side) float32 in 0..1, a chest film.
        below: (side, side) float32 in 0..1, an abdomen or a pelvis.

    Returns:
        (side, side) float32 in 0..1, squashed, as the gate's network sees any picture.
    """
    side = film.shape[0]
    head, chest = (round(float(share) * side) for share in rng.uniform((0, 0.25), (0.22, 0.48)))
    width = round(float(rng.uniform(0.5, 1)) * side)
    skull = draw_skull(rng, side) * np.float32(rng.uniform(0.6, 1))
    bellies = (below, film[side // 2 :][::-1], film[round(BELOW_LUNGS * side) :])
    belly = bellies[int(rng.integers(len(bellies)))]
    parts = ((skull, head), (film, chest), (belly, side - head - chest))
    shown = [cv2.resize(part, (width, rows), interpolation=cv2.INTER_AREA) for part, rows in parts if rows]
    body = np.asarray(np.vstack(shown), np.float32)
    for seam in (head, head + chest):
        near = slice(max(0, seam - SEAM), seam + SEAM)
        body[near] = cv2.GaussianBlur(body[near], (0, 0), SEAM / 3)
    page = np.full((side, side), float(rng.choice([0.0, 0.0, 1.0])), np.float32)
    left = int(rng.integers(side - width + 1))
    page[:, left : left + width] = body
    return page


def on_a_page(rng: np.random.Generator, film: Grey) -> Grey:
    """A film that fills a part of a black or white page, anywhere on it; (side, side) float32 in 0..1."""
    side = film.shape[0]
    height, width = (round(float(share) * side) for share in rng.uniform(0.4, 0.9, 2) ** 0.75)
    y, x = int(rng.integers(side - height + 1)), int(rng.integers(side - width + 1))
    page = np.full((side, side), float(rng.choice([0.0, 1.0])), np.float32)
    page[y : y + height, x : x + width] = cv2.resize(film, (width, height), interpolation=cv2.INTER_AREA)
    return page


def _surroundings(rng: np.random.Generator, side: int) -> Grey:
    around = (draw_noise, draw_page, draw_pattern)[int(rng.integers(3))](rng, side)
    soft = cv2.GaussianBlur(around, (0, 0), float(rng.uniform(0.3, 0.06 * side)))
    spread = max(float(soft.std()), 0.05)
    return np.asarray(
        rng.uniform(0.1, 0.8) + rng.uniform(0.08, 0.25) / spread * (soft - soft.mean()), np.float32
    )


def _light(rng: np.random.Generator, scene: Grey) -> Grey:
    """Vignetting, a reflection, moire."""
    side = scene.shape[0]
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side - 0.5
    scene = scene * (1 - rng.uniform(0, 0.9) * (x * x + y * y))
    if rng.random() < 0.5:
        away = np.hypot(x - rng.uniform(-0.5, 0.5), (y - rng.uniform(-0.5, 0.5)) * rng.uniform(0.5, 2))
        scene = scene + rng.uniform(0.2, 0.8) * np.exp(-((away / rng.uniform(0.03, 0.2)) ** 2))
    if rng.random() < 0.5:
        angle, grain = rng.uniform(0, np.pi), rng.uniform(10, 60)
        wave = np.sin(2 * np.pi * grain * (np.cos(angle) * x + np.sin(angle) * y + 0.3 * x * y))
        scene = scene + rng.uniform(0.01, 0.1) * wave
    return np.asarray(scene, np.float32)


def _furnish(rng: np.random.Generator, page: NDArray[np.uint8], box_xyxy: tuple[int, int, int, int]) -> None:
    """Text and buttons in a part of a screen."""
    x0, y0, x1, y1 = box_xyxy
    side = page.shape[0]
    if x1 - x0 < 4 or y1 - y0 < 4:
        return
    for _ in range(int(rng.integers(1, 9))):
        x, y = int(rng.integers(x0, x1)), int(rng.integers(y0, y1))
        tone = int(rng.choice([0, 120, 255]))
        if rng.random() < 0.5:
            size = rng.uniform(0.01, 0.08, 2) * side
            page[y : min(y1, y + int(size[1])), x : min(x1, x + int(size[0]))] = tone
        else:
            text = "".join(rng.choice(list("File View Tools 0123456789/:"), int(rng.integers(3, 14))))
            cv2.putText(page, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.0018 * side, tone, 1)
