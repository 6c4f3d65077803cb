"""The heat recipe of a trained network: how conv5 becomes heat that means the same on every film."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from cxr_calibration.fit.heat_range import fit_heat_range, recipe_with
from cxr_runtime.heat.map import HeatMethod, HeatRecipe, heat_cells
from cxr_runtime.model.preprocessing import Preprocessing, normalise
from cxr_runtime.placement import Box, CellGrid
from cxr_train.data import TrainingFilm
from cxr_train.data.prepared_films import PreparedFilms, lung_boxes
from cxr_train.data.split import Rows
from cxr_train.heat.localisation import GRID, box_mask
from cxr_train.heat.prior import BoxedLungs, Cells, fit_prior, odds_of_boxes
from cxr_train.loop.targets import heat_target
from cxr_train.networks import Network
from cxr_train.networks.heads import HeatHead

MOST_FILMS = 200  # looked at for a recipe
LEAST_BOXED = 20  # films with boxes from which gain, prior, threshold and range can be learned
COLOURED = 0.95  # quantile of all cells from which on heat is coloured where no box says better
SMOOTHING = 0.7  # cells; docs/default-model.md says how it was chosen
STRONGEST = 0.999  # quantile of the strongest channels that their view shows as 1


def fit_heat(
    network: Network, films: Sequence[TrainingFilm], prepared: PreparedFilms, rows: Rows, how: Preprocessing
) -> HeatRecipe:
    """Fit a heat recipe on training films.

    Channel weights are those of the heat head where the network has one; else Grad-CAM weights averaged over
    films, which for a network with global average pooling are those of its class activation map. With enough
    boxes, gain and shift are those of a logistic regression of a cell's being in a box, cells are averaged
    with their neighbours, as boxes are larger than cells, the prior is how often each place of the lungs
    lies in one, and threshold and range are those of `fit_heat_range`. Without boxes, and for the
    strongest-channel view, one cell in twenty is at or above the threshold.

    Args:
        network: trained.
        films: the film table.
        prepared: its pictures.
        rows: training films, some of them.
        how: the network's preprocessing.
    """
    chosen = films_to_look_at(films, rows)
    conv5, weights = _look(network, prepared, chosen, how)
    head, bias = network.training_heads().get("heat"), 0.0
    if isinstance(head, HeatHead):
        weights, bias = head.conv.weight.detach()[0, :, 0, 0].cpu().numpy(), float(head.bias.detach())
    recipe = heat_without_boxes(conv5, weights, bias, network.cells, network.conv5_layer)
    return heat_by_boxes(recipe, bias, conv5, films, prepared, chosen)


def heat_without_boxes(
    conv5: NDArray[np.float32], weights: NDArray[np.float32], bias: float, cells: CellGrid, layer: str
) -> HeatRecipe:
    """A recipe by which one cell in twenty is coloured.

    Args:
        conv5: (N, C, h, w) of films.
        weights: (C,) of the channels, towards abnormal.
        bias: added to their sum, with which they make the log odds of a cell; 0 where there are none.
        cells: where they lie.
        layer: name of the layer that gives conv5.
    """
    evidence: Cells = np.tensordot(conv5, weights, axes=(1, 0)) + np.float32(bias)
    strongest = _strongest(conv5)
    scale = max(float(np.quantile(strongest, STRONGEST)), 1e-6)
    return HeatRecipe(
        channel_weights=tuple(float(weight) for weight in weights),
        bias=bias - float(np.quantile(evidence, COLOURED)),
        gain=2 / max(float(evidence.std()), 1e-6),
        threshold=0.5,
        cells=cells,
        conv5_layer=layer,
        strongest_scale=scale,
        strongest_threshold=min(1.0, max(0.0, float(np.quantile(strongest, COLOURED)) / scale)),
        is_rectified=bool(conv5.min() >= 0),
    )


def heat_by_boxes(
    recipe: HeatRecipe,
    bias: float,
    conv5: NDArray[np.float32],
    films: Sequence[TrainingFilm],
    prepared: PreparedFilms,
    chosen: Rows,
) -> HeatRecipe:
    """The recipe fitted to boxes, where there are enough and they agree with the network; else as it was.

    Args:
        recipe: of `heat_without_boxes`.
        bias: as given to it.
        conv5: (N, C, h, w) of the films chosen.
        films: the film table.
        prepared: its pictures.
        chosen: (N,) rows of the table.
    """
    boxed = np.array([bool(films[row].boxes) for row in chosen])
    if boxed.sum() < LEAST_BOXED:
        return recipe
    weights = np.array(recipe.channel_weights, np.float32)
    evidence: Cells = np.tensordot(conv5, weights, axes=(1, 0)) + np.float32(bias)
    inside = _inside(films, prepared, chosen, recipe, evidence.shape[1:])
    gain, shift = odds_of_boxes(evidence, inside)
    if gain <= 0:
        return recipe
    by_odds = replace(recipe, bias=bias + shift, gain=gain, smoothing=SMOOTHING)
    return _with_prior_and_range(by_odds, films, prepared, chosen[boxed], conv5[boxed]) or recipe


def _with_prior_and_range(
    recipe: HeatRecipe,
    films: Sequence[TrainingFilm],
    prepared: PreparedFilms,
    rows: Rows,
    conv5: NDArray[np.float32],
) -> HeatRecipe | None:
    """The recipe with location prior, threshold and colour range, all from films with boxes.

    None where heat says so little of the boxes that it has no colour range, e.g. after a single epoch.

    Args:
        recipe: without them.
        films: the film table.
        prepared: its pictures.
        rows: films with boxes.
        conv5: (N, C, h, w) of these.
    """
    lungs = lung_boxes(films, prepared, rows)
    placements = [prepared.placements[row] for row in rows]
    drawn = [tuple(box.share_xyxy for box in films[row].boxes) for row in rows]
    boxed = [
        BoxedLungs(_shares(box, place.film_hw), boxes)
        for box, place, boxes in zip(lungs, placements, drawn, strict=True)
        if box is not None
    ]
    if len(boxed) >= LEAST_BOXED:
        recipe = replace(recipe, prior=fit_prior(boxed))
    laid = [
        place.heat_on_film(heat_cells(seen, recipe, HeatMethod.CAM, place, box), recipe.cells, (GRID, GRID))
        for seen, place, box in zip(conv5, placements, lungs, strict=True)
    ]
    heat, inside = np.stack(laid), np.stack([box_mask(boxes) for boxes in drawn])
    fitted = fit_heat_range(heat, inside)
    try:
        return recipe_with(recipe, fitted)
    except ValueError:  # red is hardly above the threshold
        return None


def _shares(box: Box, film_hw: tuple[int, int]) -> Box:
    rows, columns = film_hw
    return box[0] / columns, box[1] / rows, box[2] / columns, box[3] / rows


def films_to_look_at(films: Sequence[TrainingFilm], rows: Rows) -> Rows:
    """Films with boxes first, of each hospital in turn, then others, spread over the table."""
    order = np.random.default_rng(0).permutation(rows)
    boxed = np.array([bool(films[row].boxes) for row in order])
    first = rows_in_turn(order[boxed], [films[row].site for row in order[boxed]])
    return np.sort(np.concatenate([first, order[~boxed]])[:MOST_FILMS])


def rows_in_turn(rows: Rows, sites: Sequence[str]) -> Rows:
    """Rows in an order that takes one of each site, then the next of each: the prior is of all sites."""
    met: Counter[str] = Counter()
    turns = []
    for site in sites:
        turns.append(met[site])
        met[site] += 1
    return rows[np.argsort(np.array(turns, np.intp), kind="stable")]


def _look(
    network: Network, prepared: PreparedFilms, rows: Rows, how: Preprocessing
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Conv5 of films, (N, C, h, w), and the mean weight of each channel towards abnormal, (C,)."""
    device = next(network.parameters()).device
    network.eval()
    seen, weights = [], []
    for row in rows:
        image = torch.from_numpy(normalise(np.asarray(prepared.inputs[row])[None], how)).to(device)
        with torch.no_grad():
            conv5 = network.features(image)
        conv5.requires_grad_(True)
        normal, abnormal = network.classify(conv5)[0]
        gradient = torch.autograd.grad(abnormal - normal, conv5)[0]
        seen.append(conv5.detach()[0].cpu().numpy())
        weights.append(gradient[0].sum(dim=(1, 2)).cpu().numpy())
    return np.stack(seen), np.mean(weights, axis=0)


def _inside(
    films: Sequence[TrainingFilm],
    prepared: PreparedFilms,
    rows: Rows,
    recipe: HeatRecipe,
    hw: tuple[int, ...],
) -> Cells:
    """How much of each cell lies in a box; nan where nothing is known."""
    height, width = hw
    regions = [(films[row], prepared.region(row, films[row].boxes)) for row in rows]
    return np.stack([heat_target(*region, recipe.cells, (height, width)) for region in regions])


def _strongest(conv5: NDArray[np.float32]) -> NDArray[np.float32]:
    """The strongest channel of each film, (N, h, w)."""
    channels = conv5.max(axis=(2, 3)).argmax(axis=1)
    return np.stack([film[channel] for film, channel in zip(conv5, channels, strict=True)])
