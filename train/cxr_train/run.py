"""A training run from data sets to a folder: the whole of `cxr-triage train`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from cxr_runtime.errors import UsageError
from cxr_runtime.preprocessing import Preprocessing
from cxr_train.batches import BatchMaker
from cxr_train.checkpoint import (
    CONFIG_FILE,
    SPLIT_FILE,
    DataFacts,
    RunConfig,
    read_config,
    write_config,
)
from cxr_train.data import TrainingFilm, read_data_set
from cxr_train.data.prepared_films import CACHE, PreparedFilms, films_digest, prepare_films
from cxr_train.data.split import Split, SplitPlan, refuse_leaks, split_films, write_split
from cxr_train.journal import Entry
from cxr_train.losses import HEADED
from cxr_train.networks import Network, build_network
from cxr_train.progress import Progress, Silence
from cxr_train.published import start_from
from cxr_train.recipe import Recipe
from cxr_train.targets import film_targets
from cxr_train.teachers import teach
from cxr_train.trainer import Machine, Trainer


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
    """Read data sets into one film table and prepare its films.

    Raises:
        UsageError: a data set or a film cannot be read.
    """
    sets = [read_data_set(path) for path in paths]
    table = tuple(film for data_set in sets for film in data_set.films)
    for data_set in sets:
        if data_set.absent and progress is not None:
            progress.say(
                f"{data_set.name}: {data_set.absent} films of its table are not there; going on without"
            )
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
) -> Entry:
    """Train a network, or go on with a run that was cut off.

    Args:
        run: folder of the run; made where it is missing.
        data: data sets, see data/__init__.py.
        recipe: how; the heads that its terms need are added.
        plan: how films are split.
        machine: device and threads.
        cache: folder of prepared films.
        progress: told of every step.

    Returns:
        The log's row of the best epoch.

    Raises:
        UsageError: data, recipe or folder cannot be used.
        TrainingError: the loss is not finite.
    """
    machine, progress = machine or Machine(), progress or Silence()
    recipe = _with_heads(recipe)
    films = read_films(data, recipe.preprocessing, cache, machine.workers, progress)
    split = split_films(films.table, plan)
    refuse_leaks(films.table, split, films.prepared.sha256s)
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    network = build_network(recipe.architecture)
    started_from = start_from(network, recipe.architecture.network, recipe.start)
    config = RunConfig(recipe, plan, started_from, _facts(run, films, split))
    _write_or_match(run, config)
    teacher = teach(recipe.teachers, films.table, cache, machine.device)
    maker = BatchMaker(
        films.table,
        films.prepared,
        film_targets(films.table, recipe.report_weight, teacher),
        recipe.preprocessing,
        network.cells,
        conv5_hw(network, recipe.architecture.input_hw),
    )
    return Trainer(run, recipe, network, maker=maker, split=split, machine=machine, progress=progress).train()


def conv5_hw(network: Network, input_hw: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of conv5 for an input."""
    was_training = network.training
    network.eval()
    with torch.inference_mode():
        height, width = network.features(torch.zeros(1, 3, *input_hw)).shape[2:]
    network.train(was_training)
    return int(height), int(width)


def _with_heads(recipe: Recipe) -> Recipe:
    """The recipe with the training heads its terms need, and one input size for network and films."""
    heads = tuple(name for name in recipe.terms if name in HEADED)
    hw = recipe.preprocessing.input_hw
    return replace(recipe, architecture=replace(recipe.architecture, heads=heads, input_hw=hw))


def _facts(run: Path, films: Films, split: Split) -> DataFacts:
    return DataFacts(
        data_sets=films.names,
        films=len(films.table),
        patients=len({film.patient for film in films.table}),
        training_films=len(split.training),
        films_sha256=films_digest(films.prepared.sha256s),
        split_sha256=write_split(run / SPLIT_FILE, films.table, split),
    )


def _write_or_match(run: Path, config: RunConfig) -> None:
    """Write a new run's configuration; refuse to go on with another one's."""
    if not (run / CONFIG_FILE).is_file():
        write_config(run, config)
    elif read_config(run) != config:
        raise UsageError(
            f"{run} holds a run with other settings or films; go on with the same, or choose another folder"
        )
