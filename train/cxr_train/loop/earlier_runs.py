"""The runs that a run builds on: the one it starts from, and its teachers with what they say of films."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.errors import UsageError
from cxr_runtime.placement import CellGrid, Placement
from cxr_train.checkpoint import load_checkpoint
from cxr_train.data import read_film_table
from cxr_train.data.fifths import Fifth
from cxr_train.data.film import TrainingFilm
from cxr_train.data.known import Known, digest_of, known_films
from cxr_train.data.prepared_films import PreparedFilms, prepare_films
from cxr_train.data.split import SPLIT_FILE, Rows, Split, SplitPlan
from cxr_train.loop.losses import autocast
from cxr_train.loop.opinions_file import Opinion, is_opinions_file, read_opinions
from cxr_train.prediction import Predictions, predict, scored_rows
from cxr_train.recipe.recipe import Recipe

FOLLOWING = ("teacher", "teacher_heat")  # terms of the loss
FOLD = "{fold}"  # in the path of an earlier run: the number of the fold that builds on it
SURE = 1e-6  # probability beyond which a table's is taken for this
CERTAIN = 255  # heat of a place that is surely diseased


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
        known = _known_to(run)
        met = sum(known.knows(films[row], sha256s[row]) for row in scored)
        if met:
            raise UsageError(
                f"{run} knows {met} of the {len(scored)} films on which this run is tested; "
                f"take one of the same split, e.g. of its own fold ({FOLD} in the path)"
            )


def known_before(recipe: Recipe) -> Known:
    """What the teachers and the start know.

    Raises:
        UsageError: a data set that the start has learned cannot be read.
    """
    learned = read_film_table([Path(path) for path in recipe.learned], tuple(Fifth))
    told = Known(
        frozenset(film.patient for film in learned), frozenset(digest_of(film.path) for film in learned)
    )
    return reduce(Known.__or__, (_known_to(run) for run in _earlier_runs(recipe)), told)


def _earlier_runs(recipe: Recipe) -> tuple[str, ...]:
    return (*recipe.teachers, *((recipe.start,) if _is_run(recipe.start) else ()))


def _known_to(earlier: str) -> Known:
    """What a run knows, or the author of a table of opinions as far as it says so."""
    if not is_opinions_file(earlier):
        return known_films(Path(earlier))
    opinions = read_opinions(Path(earlier))
    return Known(sha256s=frozenset(digest for digest, opinion in opinions.items() if opinion.known))


def _is_run(start: str) -> bool:
    return (Path(start) / SPLIT_FILE).is_file()


@dataclass(frozen=True)
class Opinions:
    """What teachers say of a film table."""

    probability: NDArray[np.float32]  # (N,) 0..1 of abnormal; nan of films that they were not asked about
    heat: NDArray[np.uint8] | None = None  # (N, H, W) 0..CERTAIN, on the student's inputs; None: not asked


@dataclass(frozen=True)
class _Teacher:
    """One teacher, asked about M films."""

    said: Predictions  # of M films
    cells: CellGrid  # where its conv5's cells lie on what it was shown
    placements: tuple[Placement, ...]  # where that lies on each film of the table
    honest: NDArray[np.bool_]  # (M,) whether it knows neither the film nor its patient
    speaks: NDArray[np.bool_]  # (M,) whether it says anything of the film

    def heat_on(self, place: int, row: int, ours: Placement) -> NDArray[np.float32]:
        """What it sees of a film, 0..1 on the student's input, (H, W); linear between the cells."""
        assert self.said.cells is not None
        y, x = (self._in_cells(axis, self.placements[row], ours) for axis in (0, 1))
        film = self.said.cells[place]
        laid = cv2.remap(film, *np.meshgrid(x, y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(laid, np.float32)

    def _in_cells(self, axis: int, theirs: Placement, ours: Placement) -> NDArray[np.float32]:
        """The student's input pixels along one axis, counted in the teacher's cells."""
        (low, high), (first, last) = (
            (place.box_film_xyxy[1 - axis], place.box_film_xyxy[3 - axis]) for place in (ours, theirs)
        )
        film = low + (np.arange(ours.input_hw[axis]) + 0.5) / ours.input_hw[axis] * (high - low)
        shown = (film - first) / (last - first) * theirs.input_hw[axis]
        return ((shown - self.cells.origin) / self.cells.stride).astype(np.float32)


def teach(
    teachers: Sequence[str],
    films: Sequence[TrainingFilm],
    rows: Rows,
    ours: PreparedFilms,
    about_heat: bool = False,
    device: str = "cpu",
) -> Opinions:
    """The teachers' mean opinion of films.

    A teacher knows by heart what it was trained on. Of each film only those teachers speak that were not
    trained on its patient, where there are any, so that the folds of a cross-validation teach honestly.
    They may be shown another part of the film than the student, or at another size.

    Args:
        teachers: run folders, or tables of opinions, see opinions_file.py.
        films: the film table.
        rows: the films that they are asked about.
        ours: the table's pictures as the student is shown them.
        about_heat: whether they are asked where disease is, too.
        device: where the teachers run, in the precision they were trained in.

    Raises:
        UsageError: a teacher that is asked where disease is has no training head for it.
    """
    probability = np.full(len(films), math.nan, np.float32)
    asked = [
        _look_up(teacher, rows, ours)
        if is_opinions_file(teacher)
        else _ask(teacher, films, rows, ours.folder, device)
        for teacher in teachers
    ]
    if not asked:
        return Opinions(probability)
    says = np.stack([teacher.speaks for teacher in asked])
    honest = np.stack([teacher.honest for teacher in asked]) & says
    speaks = np.where(honest.any(axis=0), honest, says).astype(np.float64)
    heard = speaks.sum(axis=0) > 0
    speaks /= np.where(heard, speaks.sum(axis=0), 1.0)
    mean = (speaks * [teacher.said.probability for teacher in asked]).sum(axis=0)
    probability[rows] = np.where(heard, mean, math.nan)
    if not about_heat:
        return Opinions(probability)
    _refuse_mute(teachers, asked)
    heat = np.zeros(ours.inputs.shape, np.uint8)
    for place, row in enumerate(rows):
        laid = [teacher.heat_on(place, row, ours.placements[row]) for teacher in asked]
        heat[row] = np.rint(CERTAIN * np.tensordot(speaks[:, place], laid, axes=1))
    return Opinions(probability, heat)


def _ask(teacher: str, films: Sequence[TrainingFilm], rows: Rows, cache: Path, device: str) -> _Teacher:
    network, config = load_checkpoint(teacher)
    how = config.recipe.preprocessing
    prepared, known = prepare_films(films, how, cache), known_films(Path(teacher))
    with autocast(config.recipe, device):
        said = predict(network.to(device), prepared, rows, how)
    honest = np.array([not known.knows(films[row], prepared.sha256s[row]) for row in rows], np.bool_)
    return _Teacher(said, network.cells, prepared.placements, honest, np.ones(len(rows), np.bool_))


def _look_up(teacher: str, rows: Rows, ours: PreparedFilms) -> _Teacher:
    """The opinions of a table; its cells lie evenly over the whole film."""
    opinions = read_opinions(Path(teacher))
    found = [opinions.get(ours.sha256s[row]) for row in rows]
    if not any(found):
        raise UsageError(
            f"{teacher} names none of these {len(rows)} films by its sha256; expected opinions of the films "
            "that are trained on, e.g. of `cxr-triage lab opinions`"
        )
    shares = np.array([0.5 if opinion is None else opinion.probability for opinion in found])
    odds = np.log(np.clip(shares, SURE, 1 - SURE)) - np.log1p(-np.clip(shares, SURE, 1 - SURE))
    shape = next((one.cells.shape for one in found if one is not None and one.cells is not None), None)
    cells = None if shape is None else np.stack([_cells_of(opinion, shape) for opinion in found])
    hw = shape or (1, 1)
    whole = tuple(
        Placement(place.film_hw, (0.0, 0.0, float(place.film_hw[1]), float(place.film_hw[0])), hw)
        for place in ours.placements
    )
    honest = np.array([opinion is not None and not opinion.known for opinion in found], np.bool_)
    said = Predictions(np.stack([np.zeros_like(odds), odds], axis=1).astype(np.float32), cells)
    return _Teacher(
        said, CellGrid(0.5, 1.0), whole, honest, np.array([one is not None for one in found], np.bool_)
    )


def _cells_of(opinion: Opinion | None, shape: tuple[int, ...]) -> NDArray[np.float32]:
    blank = np.zeros(shape, np.float32)
    return blank if opinion is None or opinion.cells is None else opinion.cells


def _refuse_mute(teachers: Sequence[str], asked: Sequence[_Teacher]) -> None:
    mute = [name for name, teacher in zip(teachers, asked, strict=True) if teacher.said.cells is None]
    if mute:
        raise UsageError(
            f"teacher {mute[0]} cannot say where disease is, which terms.teacher_heat asks for; "
            "take one trained with terms.heat, or set terms.teacher_heat to 0"
        )
