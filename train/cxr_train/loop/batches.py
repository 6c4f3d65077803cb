"""Which films an epoch shows, and batches of them varied: the same whatever the number of threads."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxr_runtime.errors import UsageError
from cxr_runtime.model.preprocessing import Preprocessing, normalise
from cxr_runtime.placement import CellGrid
from cxr_train.data.film import TrainingFilm, column
from cxr_train.data.prepared_films import PreparedFilms
from cxr_train.data.split import Rows
from cxr_train.loop.augmentation import Varied, vary
from cxr_train.loop.targets import Targets, cell_means, clean_target, heat_target
from cxr_train.recipe.recipe import Augmentation

SPARE = 2  # batches that wait for the network, beyond one a thread


def epoch_order(
    films: Sequence[TrainingFilm],
    rows: Rows,
    balance: Sequence[str],
    seed: Sequence[int],
    evenness: float = 1.0,
    quotas: Mapping[str, float] | None = None,
) -> Rows:
    """As many rows as there are, in the order to show them.

    Args:
        films: the film table.
        rows: the training side.
        balance: columns of the table, e.g. label and view: films are then drawn, with repeats, so that every
            combination of these is shown equally often. Without any, each film is shown once.
        seed: decides the order.
        evenness: 1: as said of balance; 0.5: half-way to each film as often; 0: each film as often.
        quotas: shares of the films shown by who labelled them, e.g. {"radiologist": 0.4, "report": 0.6};
            others are not shown. Balance then holds within each.

    Raises:
        UsageError: no film is labelled as the quotas ask.
    """
    rng = np.random.default_rng(list(seed))
    if not balance and not quotas:
        return rng.permutation(rows)
    shown = [films[row] for row in rows]
    columns = [column(shown, name) for name in balance]
    strata = [tuple(values[film] for values in columns) for film in range(len(shown))]
    size = Counter(strata)
    weights = np.array([size[stratum] ** -evenness for stratum in strata])
    if quotas:
        truths = np.array([str(film.truth) for film in shown])
        for truth in set(truths.tolist()):
            among = truths == truth
            weights[among] *= quotas.get(truth, 0.0) / weights[among].sum()
    if not weights.sum() > 0:
        asked = ", ".join(name for name, share in quotas.items() if share) if quotas else ""
        raise UsageError(f"quotas ask for films labelled by {asked or 'nobody'}; there is none to train on")
    return rng.choice(rows, len(rows), p=weights / weights.sum())


@dataclass(frozen=True)
class Batch:
    """What one step sees."""

    images: Tensor  # (B, 3, H, W) float32, normalised; or (B, C, h, w), what layers have made of them
    targets: Targets
    layers_behind: int = 0  # how many modules of the network's `features` the images have been through


class Shown(NamedTuple):
    """Films as one step sees them, and the targets that moved along."""

    images: Tensor  # as in Batch
    heat: NDArray[np.float32]  # (B, h, w)
    clean: NDArray[np.float32]  # (B, SUBCELLS h, SUBCELLS w)
    teacher_heat: NDArray[np.float32]  # (B, h, w)
    layers_behind: int = 0


class Drawing(Protocol):
    """Variations of the film table that were made before."""

    def draw(self, rows: Rows, seed: Sequence[int]) -> Shown:
        """One variation of each film, which the seed decides."""
        ...


@dataclass(frozen=True)
class BatchMaker:
    """Turns rows of a film table into batches."""

    films: Sequence[TrainingFilm]  # the film table
    prepared: PreparedFilms  # its pictures
    targets: dict[str, NDArray[np.float32]]  # targets.film_targets of the table
    how: Preprocessing
    cells: CellGrid  # conv5's
    cells_hw: tuple[int, int]  # rows and columns of conv5
    drawing: Drawing | None = None  # takes the place of varying films anew
    teacher_heat: NDArray[np.uint8] | None = None  # (N, H, W) on the films' inputs, 255 for certain disease

    def make(self, rows: Rows, variation: Augmentation | None = None, seed: Sequence[int] = ()) -> Batch:
        """Make one batch.

        Args:
            rows: of the film table.
            variation: how films are varied; None shows them as they are.
            seed: with a film's place in the batch, decides its variation.
        """
        if self.drawing is None or variation is None:
            shown = self._shown(rows, variation, seed)
        else:
            shown = self.drawing.draw(rows, seed)
        fixed = {name: torch.from_numpy(values[rows]) for name, values in self.targets.items()}
        moved = {name: torch.from_numpy(getattr(shown, name)) for name in ("heat", "clean", "teacher_heat")}
        return Batch(shown.images, Targets(**fixed, **moved), shown.layers_behind)

    def _shown(self, rows: Rows, variation: Augmentation | None, seed: Sequence[int]) -> Shown:
        varied = [self._vary(row, variation, (*seed, place)) for place, row in enumerate(rows)]
        images = normalise(np.stack([film.picture for film in varied]), self.how)
        heat = [
            heat_target(self.films[row], film.marks[0], self.cells, self.cells_hw)
            for row, film in zip(rows, varied, strict=True)
        ]
        clean = [clean_target(film.clean, self.cells_hw) for film in varied]
        taught = [self._taught(row, film) for row, film in zip(rows, varied, strict=True)]
        return Shown(torch.from_numpy(images), np.stack(heat), np.stack(clean), np.stack(taught))

    def _vary(self, row: int, variation: Augmentation | None, seed: Sequence[int]) -> Varied:
        picture = np.asarray(self.prepared.inputs[row])
        marks = [self.prepared.region(row, self.films[row].boxes)]
        if self.teacher_heat is not None:
            marks.append(self.teacher_heat[row])
        if variation is None:
            return Varied(picture, picture, tuple(marks))
        return vary(picture, marks, variation, np.random.default_rng(list(seed)))

    def _taught(self, row: int, film: Varied) -> NDArray[np.float32]:
        """(h, w) what the teachers see on a film as it was varied; nan where they were not asked."""
        if self.teacher_heat is None or np.isnan(self.targets["teacher"][row]):
            return np.full(self.cells_hw, np.nan, np.float32)
        return cell_means(film.marks[1], self.cells, self.cells_hw)


def in_steps(rows: Rows, films_a_step: int) -> list[Rows]:
    """Cut an epoch into steps, the last of which may be smaller."""
    return [rows[start : start + films_a_step] for start in range(0, len(rows), films_a_step)]


def made_ahead(
    maker: BatchMaker,
    steps: Sequence[Rows],
    variation: Augmentation | None,
    seed: Sequence[int],
    workers: int,
) -> Iterator[Batch]:
    """Make batches in order, a few of them ahead of the network in other threads."""
    ahead = workers + SPARE
    with ThreadPoolExecutor(workers) as threads:
        waiting = deque(
            threads.submit(maker.make, rows, variation, (*seed, step))
            for step, rows in enumerate(steps[:ahead])
        )
        for step in range(len(steps)):
            batch = waiting.popleft().result()
            if step + ahead < len(steps):
                following = step + ahead
                waiting.append(threads.submit(maker.make, steps[following], variation, (*seed, following)))
            yield batch
