"""Localisation, measured: does the heat lie where radiologists drew boxes?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.fit.heat_range import RED_SHOWN, share_in_box
from cxr_calibration.statistics.intervals import REPLICATES, Estimate, bootstrap
from cxr_runtime.placement import Box

GRID = 128  # rows and columns over the whole film on which heat and boxes are compared
BLOB_WIDTH = 0.2  # standard deviation of the centre blob, as a share of the film's sides

Heat = NDArray[np.float32]  # (GRID, GRID) over the whole film, 0 or more
Mask = NDArray[np.bool_]  # (GRID, GRID), inside the boxes


@dataclass(frozen=True)
class Localisation:
    """How well heat agrees with boxes, mean over films, with 95 % intervals by bootstrap of patients."""

    films: int
    pointing: Estimate  # share of films whose hottest point lies in a box (Zhang 2016)
    overlap: Estimate  # IoU of the boxes with the hottest part of the film, as large as boxes are on average
    share: Estimate  # share of all heat that lies in the boxes
    coloured: Estimate | None = None  # IoU of the boxes with what a scan colours; None: it shows no such heat
    red_in_box: Estimate | None = None  # share of what a scan shows in full red that lies in a box; likewise


def box_mask(boxes_share_xyxy: Sequence[Box]) -> Mask:
    """Grid points inside any of the boxes, given as shares of width and height."""
    centre = (np.arange(GRID) + 0.5) / GRID
    y, x = centre[:, None], centre[None, :]
    inside = np.zeros((GRID, GRID), np.bool_)
    for x0, y0, x1, y1 in boxes_share_xyxy:
        inside |= (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
    return inside


def centre_blob() -> Heat:
    """A fixed Gaussian in the middle of the film: what any method must beat."""
    across = np.exp(-0.5 * (((np.arange(GRID) + 0.5) / GRID - 0.5) / BLOB_WIDTH) ** 2)
    return np.outer(across, across).astype(np.float32)


def localise(
    heats: Sequence[Heat],
    masks: Sequence[Mask],
    patients: NDArray[np.str_],
    replicates: int = REPLICATES,
    thresholds: Sequence[float] = (),
) -> Localisation:
    """Measure heat maps against boxes.

    Args:
        heats: one a film.
        masks: the boxes of the same films.
        patients: (N,) films of one patient are drawn together.
        replicates: bootstrap samples.
        thresholds: heat that is coloured from there on, one a film; empty: none is.
    """
    pairs = list(zip(heats, masks, strict=True))
    measured = {
        **film_by_film(heats, masks),
        "share": np.array([_share(heat, mask) for heat, mask in pairs]),
    }
    if thresholds:
        shown = zip(pairs, thresholds, strict=True)
        measured["coloured"] = np.array([_iou(heat >= least, mask) for (heat, mask), least in shown])
    estimates = {
        name: bootstrap(_mean_of(values), patients, replicates=replicates)
        for name, values in measured.items()
    }
    if thresholds:
        red = np.stack([heat >= RED_SHOWN for heat in heats])
        estimates["red_in_box"] = share_in_box(red, np.stack(masks), patients, replicates=replicates)
    return Localisation(films=len(pairs), **estimates)


def film_by_film(heats: Sequence[Heat], masks: Sequence[Mask]) -> dict[str, NDArray[np.float64]]:
    """`pointing` and `overlap` of each film, (N,) each; arguments as for `localise`."""
    part = float(np.mean([mask.mean() for mask in masks]))
    pairs = list(zip(heats, masks, strict=True))
    return {
        "pointing": np.array([_pointing(heat, mask) for heat, mask in pairs]),
        "overlap": np.array([_overlap(heat, mask, part) for heat, mask in pairs]),
    }


def chance(masks: Sequence[Mask], patients: NDArray[np.str_], replicates: int = REPLICATES) -> Localisation:
    """What heat without any knowledge gets on average: every point as likely the hottest as any other."""
    areas = np.array([mask.mean() for mask in masks])
    part = float(areas.mean())
    overlap = part * areas / (part + areas - part * areas)
    by_area, by_overlap = (
        bootstrap(_mean_of(values), patients, replicates=replicates) for values in (areas, overlap)
    )
    return Localisation(len(masks), pointing=by_area, overlap=by_overlap, share=by_area)


def _pointing(heat: Heat, mask: Mask) -> float:
    """Whether the hottest point is in a box; where several are, the share of them that is."""
    hottest = heat == heat.max()
    return float(mask[hottest].mean())


def _overlap(heat: Heat, mask: Mask, part: float) -> float:
    """IoU with the hottest part of the film; of points as hot as its edge, each counts the same share."""
    count = max(1, round(part * heat.size))
    edge = np.partition(heat, heat.size - count, axis=None)[heat.size - count]
    above, level = heat > edge, heat == edge
    share = (count - above.sum()) / level.sum()
    shared = float((above & mask).sum() + share * (level & mask).sum())
    return shared / (count + float(mask.sum()) - shared)


def _iou(warm: NDArray[np.bool_], mask: NDArray[np.bool_]) -> float:
    return float((warm & mask).sum() / (warm | mask).sum())


def _share(heat: Heat, mask: Mask) -> float:
    """Heat in the boxes of all heat; what chance gets where there is no heat at all."""
    total = float(heat.sum())
    return float(heat[mask].sum()) / total if total > 0 else float(mask.mean())


def _mean_of(values: NDArray[np.float64]) -> Callable[[NDArray[np.intp]], float]:
    return lambda rows: float(values[rows].mean())
