"""The training loop of one run: epochs, validation, checkpoints, and going on where a run was cut off.

Everything random in a step follows from the recipe's seed and the step's number, so a run that goes on after
its last whole epoch comes out the same, bit for bit, as one that was never cut off.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from cxr_runtime.progress import Progress
from cxr_train.checkpoint import BEST_FILE, LAST_FILE, read_tensors, write_tensors
from cxr_train.data.split import Split
from cxr_train.loop.batches import Batch, BatchMaker, epoch_order, in_steps, made_ahead
from cxr_train.loop.journal import Entry, Journal
from cxr_train.loop.losses import Losses, Objective, TrainingError
from cxr_train.loop.optimiser import (
    Plateau,
    freeze,
    make_optimiser,
    optimiser_tensors,
    rate_factor,
    restore_optimiser,
    running_average,
    set_rate,
)
from cxr_train.loop.validation import figure_of, refuse_blind_selection, validate
from cxr_train.networks import Network
from cxr_train.recipe.recipe import Recipe

ORDER, STEP, MIX = 1, 2, 3  # what a seed is for, so that no two draws share one


@dataclass(frozen=True)
class Machine:
    """What a run is trained on; it changes how fast, not what."""

    device: str = "cpu"  # cpu, or cuda
    workers: int = 1  # threads that decode films and make batches


class Trainer:
    """Trains one network.

    Args:
        run: the run folder; an unfinished run in it is continued.
        recipe: how.
        network: with its starting weights.
        maker: makes batches of the film table.
        split: its sides.
        machine: device and threads.
        progress: hears of every step.
    """

    def __init__(
        self,
        run: Path,
        recipe: Recipe,
        network: Network,
        *,
        maker: BatchMaker,
        split: Split,
        machine: Machine,
        progress: Progress,
    ) -> None:
        self.run, self.recipe, self.maker, self.split = run, recipe, maker, split
        self.machine, self.progress = machine, progress
        self.network = network.to(machine.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch leaves it out
        freeze(self.network, recipe.frozen_layers)
        self.objective = Objective(recipe, machine.device)
        self.optimiser = make_optimiser(self.network, recipe)
        self.films_a_step = recipe.films_a_step(len(split.training))
        self.steps_an_epoch = max(1, len(split.training) // self.films_a_step)
        self.average = running_average(self.network, recipe.ema) if recipe.ema else None
        self.epoch, self.plateau, entries = self._restore()
        self.journal = Journal(run, entries)

    def train(self, stop: Callable[[Sequence[Entry]], bool] | None = None) -> Entry:
        """Train to the last epoch and return the log's row of the best one.

        Args:
            stop: given the log after every epoch, whether to end early.

        Raises:
            TrainingError: a loss is not finite, or validation cannot measure what the recipe selects by.
        """
        refuse_blind_selection(self.maker.films, self.split.validation, self.recipe)
        try:
            while self.epoch < self.recipe.epochs and not (stop and stop(self.journal.entries)):
                self._one_epoch()
        finally:
            self.journal.close(self._best())
        return max(self.journal.entries, key=lambda entry: figure_of(entry, self.recipe))

    def _best(self) -> Entry | None:
        return max(self.journal.entries, key=lambda entry: figure_of(entry, self.recipe), default=None)

    def _one_epoch(self) -> None:
        started, rate = time.monotonic(), self._rate(self.epoch * self.steps_an_epoch)
        self.progress.begin(self._told(), self.steps_an_epoch)
        losses = self._learn()
        self.progress.end()
        figures = validate(
            self._kept(), self.objective, self.maker, self.split.validation, 2 * self.films_a_step
        )
        facts = {"epoch": self.epoch + 1, "seconds": time.monotonic() - started, "learning_rate": rate}
        self._close_epoch({**facts, **losses, **figures})

    def _told(self) -> str:
        """The epoch, and how long the run will go on if all are like the last one."""
        epoch = f"epoch {self.epoch + 1} of {self.recipe.epochs}"
        if not self.journal.entries:
            return epoch
        left = self.journal.entries[-1]["seconds"] * (self.recipe.epochs - self.epoch)
        return f"{epoch} ({left / 60:.0f} min left for all)"

    def _learn(self) -> Losses:
        """One epoch's steps; the mean of every term."""
        recipe, films = self.recipe, self.maker.films
        order_seed, step_seed = ((recipe.seed, purpose, self.epoch) for purpose in (ORDER, STEP))
        order = epoch_order(
            films, self.split.training, recipe.balance, order_seed, recipe.evenness, recipe.quotas
        )
        steps = in_steps(order, self.films_a_step)[: self.steps_an_epoch]
        self.network.train()
        freeze(self.network, recipe.frozen_layers)
        totals: Losses = {}
        batches = made_ahead(self.maker, steps, recipe.augmentation, step_seed, self.machine.workers)
        for step, batch in enumerate(batches, start=self.epoch * self.steps_an_epoch):
            for name, value in self._step(batch, step).items():
                totals[name] = totals.get(name, 0.0) + value / len(steps)
            self.progress.advance()
        return totals

    def _step(self, batch: Batch, step: int) -> Losses:
        torch.manual_seed((self.recipe.seed << 32) + step)
        set_rate(self.optimiser, self._rate(step))
        self.optimiser.zero_grad()
        if self.recipe.augmentation.mixup:
            rng = np.random.default_rng((self.recipe.seed, MIX, step))
            total, losses = self.objective.of_mixed(self.network, batch, rng)
        else:
            total, losses, _ = self.objective.of(self.network, batch)
        self._refuse_infinite(losses["loss"], f"step {step}")
        total.backward()  # type: ignore[no-untyped-call]  # torch states no type
        if self.recipe.clip_norm:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip_norm)
        self.optimiser.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return losses

    def _close_epoch(self, entry: Entry) -> None:
        """Keep the epoch if it is the best, log it, and save all that is needed to go on."""
        if len(self.split.validation):
            self._refuse_infinite(entry["validation_loss"], "validation")
        self._refuse_infinite_weights()
        self.epoch += 1
        figure = figure_of(entry, self.recipe)
        is_best = figure > self.plateau.best
        self.plateau = self.plateau.after(figure, self.recipe)
        if is_best:
            write_tensors(self.run / BEST_FILE, self._kept().state_dict(), {"epoch": self.epoch})
        self.journal.add(entry)
        self._save()
        said = self._validation_said(entry, is_best)
        self.progress.say(f"epoch {self.epoch}: loss {entry['loss']:.4f}{said}")

    def _validation_said(self, entry: Entry, is_best: bool) -> str:
        if not len(self.split.validation):
            return ""
        figures = f"validation loss {entry['validation_loss']:.4f}, AUC {entry['auc']:.3f}"
        return f", {figures}, accuracy {entry['accuracy']:.3f}{', best so far' if is_best else ''}"

    def _refuse_infinite(self, loss: float, where: str) -> None:
        if not math.isfinite(loss):
            raise self._lost(f"the loss became {loss} in {where}")

    def _refuse_infinite_weights(self) -> None:
        """No later step finds weights that the last one spoilt."""
        for name, weights in self._kept().state_dict().items():
            if not bool(torch.isfinite(weights).all()):
                raise self._lost(f"the weights of {name} are no longer finite at the end")

    def _lost(self, what: str) -> TrainingError:
        kept = f"epoch {self.epoch} is kept" if self.epoch else "nothing is kept"
        return TrainingError(
            f"{what} of epoch {self.epoch + 1}; {kept}: lower learning_rate or set clip_norm, "
            "and train into another folder"
        )

    def _rate(self, step: int) -> float:
        steps = self.recipe.epochs * self.steps_an_epoch
        return self.recipe.learning_rate * rate_factor(self.recipe, step, steps, self.plateau)

    def _kept(self) -> Network:
        """The network that is validated and kept."""
        return self.network if self.average is None else cast("Network", self.average.module)

    def _save(self) -> None:
        parts = {"network": self.network.state_dict(), "optimiser": optimiser_tensors(self.optimiser)}
        if self.average is not None:
            parts["average"] = self.average.module.state_dict()
        tensors = {
            f"{part}.{name}": tensor for part, state in parts.items() for name, tensor in state.items()
        }
        entries = [dict(entry) for entry in self.journal.entries]
        facts = {"epoch": self.epoch, "plateau": asdict(self.plateau), "log": entries}
        write_tensors(self.run / LAST_FILE, tensors, facts)

    def _restore(self) -> tuple[int, Plateau, list[Entry]]:
        """Go back to the last whole epoch, if there is one."""
        path = self.run / LAST_FILE
        if not path.is_file():
            return 0, Plateau(), []
        tensors, facts = read_tensors(path)
        self.network.load_state_dict(_part(tensors, "network"))
        restore_optimiser(self.optimiser, _part(tensors, "optimiser"))
        if self.average is not None:
            steps = facts["epoch"] * self.steps_an_epoch
            self.average = running_average(self.network, self.recipe.ema, steps)
            self.average.module.load_state_dict(_part(tensors, "average"))
        return facts["epoch"], Plateau(**facts["plateau"]), facts["log"]


def _part(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {
        key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")
    }
