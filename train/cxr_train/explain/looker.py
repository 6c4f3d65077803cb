"""A trained model that can be asked what it sees on films that it has never seen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cxr_runtime.errors import UsageError
from cxr_runtime.heat.map import HeatRecipe
from cxr_runtime.model.preprocessing import InputPixels, Preprocessing, normalise
from cxr_runtime.placement import Box, Placement
from cxr_runtime.progress import Progress
from cxr_train.checkpoint import find_runs, load_checkpoint, run_of
from cxr_train.data import TrainingFilm, read_film_table
from cxr_train.data.fifths import Fifth
from cxr_train.data.known import Known, known_films, known_to_every_fold, unknown_rows
from cxr_train.data.prepared_films import PreparedFilms, lung_boxes, prepare_films
from cxr_train.heat.of_run import read_heat
from cxr_train.networks import Network


@dataclass(frozen=True)
class Looker:
    """A run's network with all that is needed to show it films."""

    network: Network  # in evaluation mode
    how: Preprocessing
    recipe: HeatRecipe
    starting_weights: str  # what it was trained from
    known: Known  # what it was trained or chosen on

    def image(self, picture: InputPixels) -> Tensor:
        """A prepared film, (H, W) uint8, as the network's input, (1, 3, H, W) float32."""
        return torch.from_numpy(normalise(picture[None], self.how))


@dataclass(frozen=True)
class ShownFilm:
    """A film as a network is shown it."""

    picture: InputPixels  # (H, W) uint8, prepared
    placement: Placement  # the part of the film in it
    lungs_film_xyxy: Box | None  # box around both lungs, as a scan finds it


@dataclass(frozen=True)
class ExplainedModel:
    """A run, or the folds of a cross-validation, each of which looks at what it has not seen."""

    name: str
    folds: tuple[Looker, ...]
    prepared: tuple[PreparedFilms, ...]  # of each fold, in the order of one film table

    def looks_at(self, row: int, films: Sequence[TrainingFilm]) -> tuple[Looker, ShownFilm]:
        """The fold that has not seen a film of the table, and the film as this fold is shown it."""
        film = films[row]
        fold = next(
            number
            for number, (looker, prepared) in enumerate(zip(self.folds, self.prepared, strict=True))
            if not looker.known.knows(film, prepared.sha256s[row])
        )
        prepared = self.prepared[fold]
        (lungs,) = lung_boxes(films, prepared, np.array([row]))
        return self.folds[fold], ShownFilm(np.asarray(prepared.inputs[row]), prepared.placements[row], lungs)


def open_lookers(model: Path) -> tuple[Looker, ...]:
    """Open a finished run, or all folds of a cross-validation.

    Raises:
        UsageError: there is no run.
        ModelError: a checkpoint or heat recipe cannot be used.
    """
    return tuple(_open(run) for run in find_runs(model))


def unseen_films(
    models: Iterable[Sequence[Looker]], data: Sequence[Path], fifths: Sequence[Fifth]
) -> tuple[TrainingFilm, ...]:
    """Films of data sets that at least one fold of every model has not seen.

    Raises:
        UsageError: a data set cannot be read, or no film is left.
    """
    table = read_film_table(data, fifths)
    known = [known_to_every_fold(fold.known for fold in folds) for folds in models]
    films = tuple(table[row] for row in unknown_rows(table, known))
    if not films:
        raise UsageError("the models have seen every film given; give films that they were not trained on")
    return films


def explained_model(
    name: str, folds: tuple[Looker, ...], films: Sequence[TrainingFilm], cache: Path, progress: Progress
) -> ExplainedModel:
    """Prepare a film table for every fold of a model."""
    prepared = tuple(prepare_films(films, fold.how, cache, progress=progress) for fold in folds)
    return ExplainedModel(name, folds, prepared)


def _open(checkpoint: Path) -> Looker:
    network, config = load_checkpoint(checkpoint)
    run = run_of(checkpoint)
    how, started_from = config.recipe.preprocessing, config.starting_weights
    return Looker(network, how, read_heat(run), started_from, known_films(run))
