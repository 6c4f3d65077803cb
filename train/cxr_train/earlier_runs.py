"""The runs that a run builds on: the one it starts from, and its teachers."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path

from cxr_runtime.errors import UsageError
from cxr_train.data.film import TrainingFilm
from cxr_train.data.known import Known, known_films
from cxr_train.data.split import SPLIT_FILE, Split, SplitPlan
from cxr_train.prediction import scored_rows
from cxr_train.recipe import Recipe

FOLLOWING = ("teacher", "teacher_heat")  # terms of the loss
FOLD = "{fold}"  # in the path of an earlier run: the number of the fold that builds on it


def recipe_of_fold(recipe: Recipe, plan: SplitPlan) -> Recipe:
    """The recipe with the earlier runs of its own fold.

    Raises:
        UsageError: a path asks for the fold's number where there are no folds, or teachers are given without
            a term that follows them, or such a term without them.
    """
    following = [name for name in FOLLOWING if recipe.terms.get(name)]
    if bool(recipe.teachers) != bool(following):
        raise UsageError(
            f"{len(recipe.teachers)} teachers, and terms that follow them: {', '.join(following) or 'none'}; "
            'one needs the other: give both, e.g. --set teachers=["runs/a"] and terms.teacher=1, or neither'
        )
    asking = [path for path in (recipe.start, *recipe.teachers) if FOLD in path]
    if asking and not plan.folds:
        raise UsageError(
            f"{asking[0]} asks for the number of a fold, and films are not split into folds; "
            f"give --folds, or a path without {FOLD}"
        )
    teachers = tuple(path.replace(FOLD, str(plan.fold)) for path in recipe.teachers)
    return replace(recipe, start=recipe.start.replace(FOLD, str(plan.fold)), teachers=teachers)


def refuse_informed(
    recipe: Recipe, films: Sequence[TrainingFilm], sha256s: Sequence[str], split: Split
) -> None:
    """Refuse earlier runs that know the answers of the test.

    They may know patients of the test side whose films are not scored, e.g. from a pretraining on reports.

    Raises:
        UsageError: a film that is scored, or another of its patient, was learned from, or chosen by, by a
            teacher or the start.
    """
    scored = scored_rows(films, split.test)
    for run in _earlier_runs(recipe):
        known = known_films(Path(run))
        met = sum(known.knows(films[row], sha256s[row]) for row in scored)
        if met:
            raise UsageError(
                f"{run} knows {met} of the {len(scored)} films on which this run is tested; "
                f"take one of the same split, e.g. of its own fold ({FOLD} in the path)"
            )


def known_before(recipe: Recipe) -> Known:
    """What the teachers and the start know."""
    return reduce(Known.__or__, (known_films(Path(run)) for run in _earlier_runs(recipe)), Known())


def _earlier_runs(recipe: Recipe) -> tuple[str, ...]:
    return (*recipe.teachers, *((recipe.start,) if _is_run(recipe.start) else ()))


def _is_run(start: str) -> bool:
    return (Path(start) / SPLIT_FILE).is_file()
