"""Distillation: what earlier runs say of the films, for a network to learn from (Hinton 2015)."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_train.checkpoint import SPLIT_FILE, load_checkpoint
from cxr_train.data.film import TrainingFilm
from cxr_train.data.prepared_films import prepare_films
from cxr_train.data.table import read_rows
from cxr_train.prediction import predict


def teach(
    teachers: Sequence[str], films: Sequence[TrainingFilm], cache: Path, device: str = "cpu"
) -> NDArray[np.float32]:
    """The teachers' mean probability of every film.

    A teacher knows by heart what it was trained on. Of each film only those teachers speak that were not
    trained on its patient, where there are any, so that the folds of a cross-validation teach honestly.

    Args:
        teachers: run folders.
        films: the film table.
        cache: folder of prepared films.
        device: where the teachers run.

    Returns:
        (N,) float32 0..1; nan without teachers.
    """
    said = np.full((len(teachers), len(films)), math.nan)
    honest = np.zeros((len(teachers), len(films)), np.bool_)
    for number, teacher in enumerate(teachers):
        network, config = load_checkpoint(teacher)
        how = config.recipe.preprocessing
        prepared = prepare_films(films, how, cache)
        said[number] = predict(network.to(device), prepared, np.arange(len(films)), how).probability
        known = _trained_on(Path(teacher))
        honest[number] = [film.patient not in known for film in films]
    if not len(teachers):
        return np.full(len(films), math.nan, np.float32)
    speaks = honest | ~honest.any(axis=0)
    return ((said * speaks).sum(axis=0) / speaks.sum(axis=0)).astype(np.float32)


def _trained_on(run: Path) -> set[str]:
    """Patients a run learned from, or was chosen by."""
    return {
        row["patient"]
        for row in read_rows(run / SPLIT_FILE, ("patient", "side"))
        if row["side"] in ("training", "validation")
    }
