"""Distillation: what earlier runs say of the films, for a network to learn from (Hinton 2015)."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_train.checkpoint import load_checkpoint
from cxr_train.data.film import TrainingFilm
from cxr_train.data.prepared_films import prepare_films
from cxr_train.data.split import known_patients
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
        known = known_patients(Path(teacher))
        honest[number] = [film.patient not in known for film in films]
    if not len(teachers):
        return np.full(len(films), math.nan, np.float32)
    speaks = honest | ~honest.any(axis=0)
    return np.asarray((said * speaks).sum(axis=0) / speaks.sum(axis=0), np.float32)
