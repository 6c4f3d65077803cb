"""How much the location prior counts in heat, and how smooth it is: tried on unseen films, fold by fold."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cxr_runtime.errors import UsageError
from cxr_runtime.heat.map import HeatMethod, HeatRecipe, heat_cells
from cxr_runtime.markdown import markdown_table
from cxr_runtime.progress import Silence
from cxr_train.data import TrainingFilm
from cxr_train.data.fifths import Fifth
from cxr_train.data.prepared_films import CACHE
from cxr_train.explain.looker import ExplainedModel, explained_model, open_lookers, unseen_films
from cxr_train.heat.localisation import GRID, Heat, box_mask, film_by_film
from cxr_train.loop.starting_weights import origin

WEIGHTS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
SMOOTHINGS = (0.0, 0.5, 0.7, 0.9, 1.2, 1.6)

Measured = NDArray[np.float64]  # (values, films)
Change = Callable[[HeatRecipe, float], HeatRecipe]


def heat_choices_of(model: Path, data: Sequence[Path], cache: Path = CACHE) -> str:
    """The tables of `heat_choices` for a cross-validation on disk.

    Args:
        model: folder of its folds.
        data: data sets.
        cache: folder of prepared films.

    Raises:
        UsageError: as `heat_choices`, a data set or a run cannot be read, or every fold has seen every film.
    """
    folds = open_lookers(model)
    films = unseen_films([folds], data, (Fifth.TRAINING,))
    return heat_choices(explained_model(model.resolve().name, folds, films, cache, Silence()), films)


def heat_choices(model: ExplainedModel, films: Sequence[TrainingFilm]) -> str:
    """Two tables in markdown, one for the prior's power and one for smoothing, the other as in the recipes.

    A row is a value; the last one is the value that the films of the other folds choose for each fold, by
    their mean IoU.

    Args:
        model: the folds of a cross-validation, with their heat recipes.
        films: the film table.

    Raises:
        UsageError: a fold has no location prior, no film has boxes by radiologists, or all are of one fold.
    """
    drawn = [[box.share_xyxy for box in film.boxes if box.by_radiologist] for film in films]
    rows = [row for row, boxes in enumerate(drawn) if boxes]
    folds = np.array([model.folds.index(model.looks_at(row, films)[0]) for row in rows])
    if np.unique(folds).size < 2 or any(looker.recipe.prior is None for looker in model.folds):
        raise UsageError(
            f"{model.name} has boxes in {np.unique(folds).size} folds; expected a cross-validation of two or "
            "more with a location prior each: train with --folds on films with boxes"
        )
    masks = [box_mask(drawn[row]) for row in rows]
    tables, started_from = [], origin(model.folds[0].starting_weights)
    for name, values, change in (
        ("prior's power", WEIGHTS, _weighing),
        ("smoothing, cells", SMOOTHINGS, _smoothing),
    ):
        heats = [_heats(model, row, films, values, change) for row in rows]
        found = [film_by_film([of[number] for of in heats], masks) for number in range(len(values))]
        pointing, overlap = (np.stack([of[measure] for of in found]) for measure in ("pointing", "overlap"))
        tables.append(_table(name, started_from, values, pointing, overlap, folds))
    return "\n\n".join(tables)


def chosen_by_others(overlap: Measured, folds: NDArray[np.intp]) -> NDArray[np.intp]:
    """For each film the number of the value with the best mean overlap on all films of other folds.

    Args:
        overlap: (values, films) IoU.
        folds: (films,) fold of each.
    """
    return np.array([int(overlap[:, folds != fold].mean(axis=1).argmax()) for fold in folds], np.intp)


def _weighing(recipe: HeatRecipe, weight: float) -> HeatRecipe:
    assert recipe.prior is not None
    return replace(recipe, prior=replace(recipe.prior, weight=weight))


def _smoothing(recipe: HeatRecipe, smoothing: float) -> HeatRecipe:
    return replace(recipe, smoothing=smoothing)


def _heats(
    model: ExplainedModel, row: int, films: Sequence[TrainingFilm], values: Sequence[float], change: Change
) -> list[Heat]:
    """One film's heat by each recipe, over the whole film."""
    looker, film = model.looks_at(row, films)
    with torch.inference_mode():
        conv5 = looker.network.features(looker.image(film.picture))[0].cpu().numpy()
    heats = []
    for value in values:
        recipe = change(looker.recipe, value)
        cells = heat_cells(conv5, recipe, HeatMethod.CAM, film.placement, film.lungs_film_xyxy)
        heats.append(film.placement.heat_on_film(cells, recipe.cells, (GRID, GRID)))
    return heats


def _table(
    name: str,
    started_from: str,
    values: Sequence[float],
    pointing: Measured,
    overlap: Measured,
    folds: NDArray[np.intp],
) -> str:
    chosen = chosen_by_others(overlap, folds)
    every = np.arange(folds.size)
    rows = [
        [f"{value:g}", started_from, f"{point.mean():.3f}", f"{iou.mean():.3f}"]
        for value, point, iou in zip(values, pointing, overlap, strict=True)
    ]
    by_fold = ", ".join(f"{values[chosen[folds == fold][0]]:g}" for fold in np.unique(folds))
    nested = [pointing[chosen, every].mean(), overlap[chosen, every].mean()]
    rows.append(
        [f"chosen by the other folds: {by_fold}", started_from, *(f"{value:.3f}" for value in nested)]
    )
    return markdown_table([name, "started from", "pointing game", "IoU"], rows)
