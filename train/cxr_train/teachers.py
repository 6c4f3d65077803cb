"""Distillation: what earlier runs say of the films, for a network to learn from (Hinton 2015)."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.errors import UsageError
from cxr_train.checkpoint import load_checkpoint
from cxr_train.data.film import TrainingFilm
from cxr_train.data.prepared_films import prepare_films
from cxr_train.data.split import Rows, Split, SplitPlan, known_patients
from cxr_train.objective import autocast
from cxr_train.prediction import predict
from cxr_train.recipe import Recipe

FOLD = "{fold}"  # in a teacher's path: the number of the student's own fold


def recipe_of_fold(recipe: Recipe, plan: SplitPlan) -> Recipe:
    """The recipe with the teachers of its own fold.

    Raises:
        UsageError: a teacher's path asks for the fold's number where there are no folds, or teachers are
            given without the term `teacher`, or that without them.
    """
    if bool(recipe.teachers) != bool(recipe.terms.get("teacher")):
        weight = recipe.terms.get("teacher", 0.0)
        raise UsageError(
            f"{len(recipe.teachers)} teachers and terms.teacher = {weight}: one needs the other; "
            'give both, e.g. --set teachers=["runs/a"], or neither'
        )
    asking = [teacher for teacher in recipe.teachers if FOLD in teacher]
    if asking and not plan.folds:
        raise UsageError(
            f"teacher {asking[0]} asks for the number of a fold, and films are not split into folds; "
            f"give --folds, or a teacher without {FOLD}"
        )
    teachers = tuple(teacher.replace(FOLD, str(plan.fold)) for teacher in recipe.teachers)
    return replace(recipe, teachers=teachers)


def refuse_informed(teachers: Sequence[str], films: Sequence[TrainingFilm], split: Split) -> None:
    """Refuse teachers that know a film which the student will be tested on.

    Raises:
        UsageError: a patient of the test side was learned from, or chosen by, by a teacher.
    """
    tested = {films[row].patient for row in split.test}
    for teacher in teachers:
        known = tested & known_patients(Path(teacher))
        if known:
            raise UsageError(
                f"teacher {teacher} knows {len(known)} of the {len(tested)} patients whom this run is tested "
                f"on; take teachers of the same split, e.g. of its own fold ({FOLD} in the path)"
            )


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
