"""Distillation: what earlier runs say of the films, for a network to learn from (Hinton 2015)."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_train.checkpoint import load_checkpoint
from cxr_train.data.film import TrainingFilm
from cxr_train.data.prepared_films import prepare_films
from cxr_train.data.split import Rows, known_patients
from cxr_train.objective import autocast
from cxr_train.prediction import predict


def teach(
    teachers: Sequence[str], films: Sequence[TrainingFilm], rows: Rows, cache: Path, device: str = "cpu"
) -> NDArray[np.float32]:
    """The teachers' mean probability of films.

    A teacher knows by heart what it was trained on. Of each film only those teachers speak that were not
    trained on its patient, where there are any, so that the folds of a cross-validation teach honestly.

    Args:
        teachers: run folders.
        films: the film table.
        rows: the films that they are asked about.
        cache: folder of prepared films.
        device: where the teachers run, in the precision they were trained in.

    Returns:
        (N,) float32 0..1 for the whole table; nan where they were not asked, and without teachers.
    """
    opinion = np.full(len(films), math.nan, np.float32)
    said, honest = np.zeros((2, len(teachers), len(rows)))
    for number, teacher in enumerate(teachers):
        network, config = load_checkpoint(teacher)
        how = config.recipe.preprocessing
        prepared = prepare_films(films, how, cache)
        with autocast(config.recipe, device):
            said[number] = predict(network.to(device), prepared, rows, how).probability
        known = known_patients(Path(teacher))
        honest[number] = [films[row].patient not in known for row in rows]
    if len(teachers):
        speaks = np.where(honest.any(axis=0), honest, 1.0)
        opinion[rows] = (said * speaks).sum(axis=0) / speaks.sum(axis=0)
    return opinion
