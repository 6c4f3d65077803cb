"""A run folder's configuration and weights, written and opened again.

A run is a folder:
    config.json            recipe, data and starting weights: everything that made the run
    split.csv              which film stood on which side
    earlier.csv            what its start and its teachers have learned from, where there are any
    batch.png              the first batch, as it is and as the first step sees it
    log.csv, curves.png    one row an epoch, and the same as a picture
    last.safetensors       network, running average and optimiser after the last whole epoch
    best.safetensors       the network as it is used: the epoch that validated best
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from cxr_runtime.atomic import replacing, write_bytes
from cxr_runtime.errors import ModelError, UsageError
from cxr_runtime.model.preprocessing import PREPROCESSING_VERSION
from cxr_runtime.typed_json import to_json
from cxr_train.data.split import SplitPlan
from cxr_train.networks import Network, build_network
from cxr_train.recipe.composing import from_plain
from cxr_train.recipe.recipe import Recipe

CONFIG_FILE = "config.json"
LOG_FILE = "log.csv"
CURVES_FILE = "curves.png"
LAST_FILE = "last.safetensors"
BEST_FILE = "best.safetensors"
WEIGHTS_SUFFIX = ".safetensors"
FOLD_PREFIX = "fold-"  # of the folders of a cross-validation's runs


@dataclass(frozen=True)
class DataFacts:
    """What a run was trained on, without naming a film."""

    data_sets: tuple[str, ...] = ()  # as given to the command line, names without folders
    films: int = 0
    patients: int = 0
    training_films: int = 0
    films_sha256: str = ""  # one digest of every film's sha256, see prepared_films.py
    split_sha256: str = ""  # of split.csv


@dataclass(frozen=True)
class RunConfig:
    """config.json."""

    recipe: Recipe
    split: SplitPlan = field(default_factory=SplitPlan)
    starting_weights: str = "scratch"  # what the network really started from, with its sha256
    data: DataFacts = field(default_factory=DataFacts)


def write_config(run: Path, config: RunConfig) -> None:
    """Write a run's config.json."""
    write_bytes(run / CONFIG_FILE, to_json(config).encode())


def read_config(run: Path) -> RunConfig:
    """Read a run's config.json.

    Raises:
        ModelError: it is missing, damaged, or asks for another version of the preprocessing.
    """
    path = run / CONFIG_FILE
    try:
        config = from_plain(RunConfig, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, UsageError) as error:
        raise ModelError(f"{path} cannot be read ({error}); expected a run of `cxr-triage train`") from error
    version = config.recipe.preprocessing.version
    if version != PREPROCESSING_VERSION:
        raise ModelError(
            f"{run} was trained with preprocessing version {version}, this program has "
            f"{PREPROCESSING_VERSION}: train it anew, or install the program that it was trained with"
        )
    return config


def run_of(checkpoint: Path) -> Path:
    """The run folder of a checkpoint, which is the folder itself or one of its .safetensors files."""
    return checkpoint.parent if checkpoint.suffix == WEIGHTS_SUFFIX else checkpoint


def find_runs(model: Path) -> list[Path]:
    """The checkpoints of a model: a run or one of its .safetensors files, or the folds of a cross-validation.

    Raises:
        UsageError: there is none, or there are runs that are not folds.
    """
    if (run_of(model) / CONFIG_FILE).is_file():
        return [model]
    runs = sorted(path.parent for path in model.glob(f"*/{CONFIG_FILE}"))
    folds = [run for run in runs if run.name.startswith(FOLD_PREFIX)]
    if runs and not folds:
        raise UsageError(
            f"{model} holds runs that are not the folds of a cross-validation ({FOLD_PREFIX}0 ...); name "
            f"each run itself, e.g. {runs[0]}"
        )
    if not folds:
        raise UsageError(
            f"{model} is not a run and holds none; expected a folder written by `cxr-triage train`"
        )
    return folds


def model_names(models: Sequence[Path]) -> list[str]:
    """What tables call models: their folders' names, with as much of the path as tells them apart.

    Raises:
        UsageError: one of them is given twice.
    """
    folders = [model.resolve() for model in models]
    if len(set(folders)) < len(folders):
        twice = next(model for model in models if folders.count(model.resolve()) > 1)
        raise UsageError(f"{twice} is given more than once; give every model once")
    depth = 1
    while len({folder.parts[-depth:] for folder in folders}) < len(folders):
        depth += 1
    return ["/".join(folder.parts[-depth:]) for folder in folders]


def load_checkpoint(path: str | Path) -> tuple[Network, RunConfig]:
    """Open a trained network, on the CPU and in evaluation mode, its training heads included.

    Args:
        path: a run folder (its best epoch), or one of its .safetensors files.

    Raises:
        ModelError: there is no such run, or its weights do not fit its config.json.
    """
    path = Path(path)
    run, file = (path, path / BEST_FILE) if path.is_dir() else (run_of(path), path)
    config = read_config(run)
    with torch.device("meta"):  # no weights are drawn only to be replaced
        network = build_network(config.recipe.architecture)
    tensors, _ = read_tensors(file)
    weights = {
        name.removeprefix("network."): tensor
        for name, tensor in tensors.items()
        if not name.startswith(("average.", "optimiser."))
    }
    try:
        network.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        raise ModelError(
            f"{file} does not fit the network of {run / CONFIG_FILE} ({error}); put the run back whole"
        ) from error
    return network.eval(), config


def write_tensors(path: Path, tensors: dict[str, Tensor], facts: dict[str, Any] | None = None) -> None:
    """Write tensors and a few facts as one safetensors file, wholly or not at all."""
    owned = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(path) as file:
        file.write(save(owned, metadata={"facts": json.dumps(facts or {})}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what write_tensors wrote.

    Raises:
        ModelError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
            metadata: dict[str, str] = file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{path} cannot be read ({error}); expected weights of `cxr-triage train`"
        ) from error
    facts: dict[str, Any] = json.loads(metadata.get("facts", "{}"))
    return tensors, facts
