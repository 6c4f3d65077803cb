"""A training run from data sets to a folder: the whole of `cxr-triage train`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import UsageError
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_runtime.progress import Progress, Silence
from cxr_train.checkpoint import (
    CONFIG_FILE,
    FOLD_PREFIX,
    DataFacts,
    RunConfig,
    load_checkpoint,
    read_config,
    write_config,
)
from cxr_train.data import TrainingFilm, film_table, read_data_sets
from cxr_train.data.known import EARLIER_FILE, Known, earlier_csv
from cxr_train.data.prepared_films import CACHE, PreparedFilms, films_digest, prepare_films
from cxr_train.data.split import SPLIT_FILE, Split, SplitPlan, refuse_leaks, split_csv, split_films
from cxr_train.heat.fit import fit_heat
from cxr_train.heat.of_run import write_heat
from cxr_train.loop.batches import BatchMaker
from cxr_train.loop.briefing import brief
from cxr_train.loop.earlier_runs import Opinions, known_before, recipe_of_fold, refuse_informed, teach
from cxr_train.loop.frozen_outputs import frozen_outputs
from cxr_train.loop.journal import Entry
from cxr_train.loop.starting_weights import start_from
from cxr_train.loop.targets import film_targets
from cxr_train.loop.trainer import Machine, Trainer
from cxr_train.loop.validation import refuse_blind_selection
from cxr_train.networks import Network, build_network
from cxr_train.recipe.recipe import Recipe


@dataclass(frozen=True)
class Films:
    """The film table of a run."""

    names: tuple[str, ...]  # of its data sets
    table: tuple[TrainingFilm, ...]
    prepared: PreparedFilms


def read_films(
    paths: Sequence[Path],
    how: Preprocessing,
    cache: Path = CACHE,
    workers: int = 1,
    progress: Progress | None = None,
) -> Films:
    """Read data sets into one film table and prepare its films; no film of a patient who is kept back.

    Raises:
        UsageError: a data set or a film cannot be read.
    """
    sets = read_data_sets(paths)
    table = film_table(sets)
    return Films(
        tuple(data_set.name for data_set in sets), table, prepare_films(table, how, cache, workers, progress)
    )


def train(
    run: Path,
    data: Sequence[Path],
    recipe: Recipe,
    plan: SplitPlan,
    machine: Machine | None = None,
    cache: Path = CACHE,
    progress: Progress | None = None,
    stop: Callable[[Sequence[Entry]], bool] | None = None,
) -> Entry:
    """Train a network, or go on with a run that was cut off.

    Args:
        run: folder of the run; made where it is missing.
        data: data sets, see data/__init__.py.
        recipe: how, see recipe.composing.compose_recipe.
        plan: how films are split.
        machine: device and threads.
        cache: folder of prepared films.
        progress: hears of every step.
        stop: given the log after every epoch, whether to end the run early.

    Returns:
        The log's row of the best epoch.

    Raises:
        UsageError: data, recipe or folder cannot be used.
        TrainingError: the loss is not finite.
    """
    machine, progress = machine or Machine(), progress or Silence()
    ready = _prepared(data, recipe, plan, machine, cache, progress)
    recipe, films, split, network = ready.config.recipe, ready.films, ready.split, ready.network
    _write_or_match(run, ready.config)
    write_bytes(run / SPLIT_FILE, split_csv(films.table, split, films.prepared.sha256s))
    if (earlier := known_before(recipe)) != Known():
        write_bytes(run / EARLIER_FILE, earlier_csv(earlier))
    learned = np.concatenate([split.training, split.validation])
    about_heat = "teacher_heat" in recipe.terms
    opinions = teach(recipe.teachers, films.table, learned, films.prepared, about_heat, machine.device)
    maker = _maker(network, films, recipe, opinions)
    brief(run, ready.config, network, maker, split, progress)
    if recipe.cached_augmentations:
        network.to(machine.device)
        made = frozen_outputs(network, maker, recipe, cache, machine.workers, progress)
        maker = replace(maker, drawing=made)
    trainer = Trainer(run, recipe, network, maker=maker, split=split, machine=machine, progress=progress)
    best = trainer.train(stop)
    trained, _ = load_checkpoint(run)
    heat = fit_heat(trained, films.table, films.prepared, split.training, recipe.preprocessing)
    write_heat(run, heat)
    return best


def rehearse(
    run: Path,
    data: Sequence[Path],
    recipe: Recipe,
    plan: SplitPlan,
    machine: Machine | None = None,
    cache: Path = CACHE,
    progress: Progress | None = None,
) -> RunConfig:
    """All that `train` does before its first step: films, split and weights are checked, the batch is drawn.

    Nothing but the picture is written into the folder; arguments and errors as for `train`.
    """
    machine, progress = machine or Machine(), progress or Silence()
    ready = _prepared(data, recipe, plan, machine, cache, progress)
    unasked = Opinions(np.full(len(ready.films.table), np.nan, np.float32))
    maker = _maker(ready.network, ready.films, ready.config.recipe, unasked)
    brief(run, ready.config, ready.network, maker, ready.split, progress)
    refuse_blind_selection(ready.films.table, ready.split.validation, ready.config.recipe)
    return ready.config


@dataclass(frozen=True)
class _Ready:
    """A run before its first step."""

    config: RunConfig
    films: Films
    split: Split
    network: Network


def _prepared(
    data: Sequence[Path], recipe: Recipe, plan: SplitPlan, machine: Machine, cache: Path, progress: Progress
) -> _Ready:
    recipe = recipe_of_fold(recipe, plan)
    films = read_films(data, recipe.preprocessing, cache, machine.workers, progress)
    split = _split(films, recipe, plan)
    torch.manual_seed(recipe.seed)
    network = build_network(recipe.architecture)
    started_from = start_from(network, recipe.architecture.network, recipe.start)
    return _Ready(RunConfig(recipe, plan, started_from, _facts(films, split)), films, split, network)


def _split(films: Films, recipe: Recipe, plan: SplitPlan) -> Split:
    split = split_films(films.table, plan)
    refuse_leaks(films.table, split, films.prepared.sha256s)
    refuse_informed(recipe, films.table, films.prepared.sha256s, split)
    return split


def cross_validate(
    out: Path,
    data: Sequence[Path],
    recipe: Recipe,
    plan: SplitPlan,
    machine: Machine | None = None,
    cache: Path = CACHE,
    progress: Progress | None = None,
) -> list[Entry]:
    """Train every fold of a cross-validation into out/fold-0, out/fold-1 ...; arguments as for `train`.

    All are split, and what a split is refused for is found out, before the first is trained.
    """
    plans = [replace(plan, fold=fold) for fold in range(plan.folds)]
    films = read_films(data, recipe.preprocessing, cache, (machine or Machine()).workers, progress)
    for each in plans:
        of_fold = recipe_of_fold(recipe, each)
        refuse_blind_selection(films.table, _split(films, of_fold, each).validation, of_fold)
    return [
        train(out / f"{FOLD_PREFIX}{each.fold}", data, recipe, each, machine, cache, progress)
        for each in plans
    ]


def _maker(network: Network, films: Films, recipe: Recipe, opinions: Opinions) -> BatchMaker:
    return BatchMaker(
        films.table,
        films.prepared,
        film_targets(films.table, recipe.report_weight, opinions.probability, recipe.teacher_weights),
        recipe.preprocessing,
        network.cells,
        conv5_hw(network, recipe.architecture.input_hw),
        teacher_heat=opinions.heat,
    )


def conv5_hw(network: Network, input_hw: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of conv5 for an input.

    Raises:
        UsageError: nothing is left of an input of that size.
    """
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            height, width = network.features(torch.zeros(1, 3, *input_hw)).shape[2:]
    except RuntimeError as error:
        size = f"{input_hw[1]} x {input_hw[0]}"
        raise UsageError(f"an input of {size} is too small for this network; give a larger --size") from error
    network.train(was_training)
    return int(height), int(width)


def _facts(films: Films, split: Split) -> DataFacts:
    return DataFacts(
        data_sets=films.names,
        films=len(films.table),
        patients=len({film.patient for film in films.table}),
        training_films=len(split.training),
        films_sha256=films_digest(films.prepared.sha256s),
        split_sha256=sha256(split_csv(films.table, split, films.prepared.sha256s)).hexdigest(),
    )


def _write_or_match(run: Path, config: RunConfig) -> None:
    """Write a new run's configuration; refuse to go on with another one's."""
    run.mkdir(parents=True, exist_ok=True)
    if not (run / CONFIG_FILE).is_file():
        write_config(run, config)
    elif read_config(run) != config:
        raise UsageError(
            f"{run} holds a run with other settings or films; continue with the same ones, or choose another "
            "folder"
        )
