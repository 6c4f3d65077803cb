"""Randomised search of hyper-parameters and architecture (paper, II.B): the whole of `cxr-triage search`.

Trial N draws its settings from the seed and N alone and is an ordinary run in a folder of its own: a search
that was cut off goes on with the same trials.
"""

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cxr_calibration.labels.film_csv import read_rows
from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import UsageError
from cxr_runtime.progress import Progress, Silence
from cxr_train.checkpoint import read_config
from cxr_train.data.prepared_films import CACHE
from cxr_train.data.split import SPLIT_FILE, SplitPlan
from cxr_train.loop.journal import Entry, read_log
from cxr_train.loop.losses import TrainingError
from cxr_train.loop.starting_weights import origin
from cxr_train.loop.trainer import Machine
from cxr_train.loop.validation import figure_of
from cxr_train.networks import build_network
from cxr_train.recipe.composing import compose_recipe, from_plain, read_settings
from cxr_train.recipe.recipe import Recipe
from cxr_train.run import conv5_hw, train

RESULTS_FILE = "results.csv"


@dataclass(frozen=True)
class Range:
    """Where a number is drawn from."""

    low: float
    high: float
    scale: str = "linear"  # or log: every factor is as likely as another
    whole: bool = False  # rounded


@dataclass(frozen=True)
class Search:
    """What is tried; a search file says it in these words."""

    trials: int = 20
    seed: int = 0
    grace: int = 3  # epochs that every trial gets before it may be stopped
    recipe: Mapping[str, Any] = field(default_factory=dict)  # settings of all trials, as in a recipe file
    ranges: Mapping[str, Range] = field(default_factory=dict)  # by name of a setting, e.g. `learning_rate`
    choices: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)  # lists of values, each as likely


@dataclass(frozen=True)
class Trial:
    """How one trial came out."""

    number: int
    drawn: dict[str, Any]  # settings that were drawn
    started_from: str  # weights; empty where no network could be built
    epochs: int  # it was trained for
    figure: float  # best of what the recipe selects by, higher is better; nan where it failed
    note: str  # why it ended early, if it did
    select_by: str = ""  # what the figure is: accuracy, auc, loss (its negative) or last (the epoch)
    films: int = 0  # of validation, on which trials are compared

    @property
    def said(self) -> str:
        """The figure in words, e.g. `AUC 0.873`."""
        value = abs(self.figure) if self.select_by == "loss" else self.figure
        return f"{'AUC' if self.select_by == 'auc' else self.select_by} {value:.3f}"


def read_search(path: Path) -> Search:
    """Read a search file (TOML or JSON).

    Raises:
        UsageError: it is missing, or a setting is unknown or out of order.
    """
    search = from_plain(Search, read_settings(path))
    if search.trials < 1 or not all(search.choices.values()):
        raise UsageError(
            f"{path} asks for {search.trials} trials, or for a choice of nothing; expected 1 or more"
        )
    for name, span in search.ranges.items():
        if not (span.low <= span.high and (span.scale == "linear" or (span.scale == "log" and span.low > 0))):
            raise UsageError(
                f"range {name} of {path} is {span}; expected low <= high, scale linear or log, low > 0"
            )
    return search


def draw(search: Search, trial: int) -> dict[str, Any]:
    """The settings of a trial, the same whenever they are drawn."""
    rng = np.random.default_rng((search.seed, trial))
    drawn: dict[str, Any] = {}
    for name, span in sorted(search.ranges.items()):
        low, high = (
            (math.log(span.low), math.log(span.high)) if span.scale == "log" else (span.low, span.high)
        )
        value = float(rng.uniform(low, high))
        value = math.exp(value) if span.scale == "log" else value
        drawn[name] = round(value) if span.whole else value
    for name, options in sorted(search.choices.items()):
        drawn[name] = options[int(rng.integers(len(options)))]
    return drawn


def run_search(
    out: Path,
    data: Sequence[Path],
    search: Search,
    plan: SplitPlan,
    network: str | None = None,
    machine: Machine | None = None,
    cache: Path = CACHE,
    progress: Progress | None = None,
) -> list[Trial]:
    """Run all trials and write results.csv, the best trial first.

    Args:
        out: folder of the trials.
        data: data sets.
        search: what is tried.
        plan: how films are split; trials are compared on the validation side, the test side stays unseen.
        network: which one, where the search file does not say; another than it names is refused.
        machine: device and threads.
        cache: folder of prepared films.
        progress: hears of every step.

    Returns:
        The trials, the best one first.

    Raises:
        UsageError: data or folder cannot be used.
        TrainingError: no trial came to a figure.
    """
    progress = progress or Silence()
    compose_recipe(network, search.recipe)  # what no trial could be trained by is refused at once
    logs: list[list[Entry]] = []
    trials: list[Trial] = []
    for number in range(search.trials):
        drawn = draw(search, number)
        progress.say(f"trial {number + 1} of {search.trials}: {_told(drawn)}")
        run = out / f"trial-{number:03d}"
        try:
            recipe = _recipe_of(network, search, drawn)
        except UsageError as error:
            trials.append(Trial(number, drawn, "", 0, math.nan, str(error)))
        else:
            stop, note = _stop_if_behind(logs, recipe, search.grace), ""
            try:
                train(run, data, recipe, plan, machine, cache, progress, stop)
            except TrainingError as error:
                note = str(error)
            logs.append(read_log(run))
            trials.append(_trial(number, drawn, run, recipe, note))
        trials.sort(key=lambda trial: (math.isnan(trial.figure), -trial.figure, trial.number))
        write_bytes(out / RESULTS_FILE, _as_csv(trials).encode())
    if all(math.isnan(trial.figure) for trial in trials):
        raise TrainingError(f"none of {len(trials)} trials came to a figure; the first one: {trials[0].note}")
    return trials


def _recipe_of(network: str | None, search: Search, drawn: Mapping[str, Any]) -> Recipe:
    """A trial's recipe, refused if no network can be built by it."""
    recipe = compose_recipe(network, search.recipe, drawn)
    with torch.device("meta"):
        conv5_hw(build_network(recipe.architecture), recipe.architecture.input_hw)
    return recipe


def _stop_if_behind(
    earlier: Sequence[Sequence[Entry]], recipe: Recipe, grace: int
) -> Callable[[Sequence[Entry]], bool]:
    """The median rule (Golovin 2017): stop a trial whose best is below what half the trials had by then."""

    def stop(entries: Sequence[Entry]) -> bool:
        epoch = len(entries)
        rivals = [_best(log[:epoch], recipe) for log in earlier if len(log) >= epoch]
        if epoch < max(grace, 1) or len(rivals) < grace:
            return False
        return _best(entries, recipe) < float(np.median(rivals))

    return stop


def _trial(number: int, drawn: dict[str, Any], run: Path, recipe: Recipe, note: str) -> Trial:
    """How a trial that was begun came out."""
    log, started_from = read_log(run), origin(read_config(run).starting_weights)
    if len(log) < recipe.epochs and not note:
        note = "stopped: behind the median of the trials before it"
    films = sum(row["side"] == "validation" for row in read_rows(run / SPLIT_FILE, ("side",)))
    return Trial(number, drawn, started_from, len(log), _best(log, recipe), note, recipe.select_by, films)


def _best(log: Sequence[Entry], recipe: Recipe) -> float:
    return max((figure_of(entry, recipe) for entry in log), default=math.nan)


def _as_csv(trials: Sequence[Trial]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    names = sorted(trials[0].drawn)
    rows.writerow(("trial", "figure", "select_by", "films", "started_from", "epochs", *names, "note"))
    rows.writerows(
        (
            t.number,
            f"{t.figure:.6g}",
            t.select_by,
            t.films,
            t.started_from,
            t.epochs,
            *(_short(t.drawn[name]) for name in names),
            t.note,
        )
        for t in trials
    )
    return text.getvalue()


def _told(drawn: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in drawn.items())


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
