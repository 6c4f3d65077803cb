"""What a network says of films as they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from cxr_runtime.logits import sigmoid
from cxr_runtime.model.preprocessing import Preprocessing, normalise
from cxr_train.data.film import TrainingFilm, Truth
from cxr_train.data.prepared_films import PreparedFilms
from cxr_train.data.split import Rows
from cxr_train.networks import Network, Outputs

FILMS_AT_ONCE = 32


@dataclass(frozen=True)
class Predictions:
    """A network's answers in the order of the rows asked for."""

    logits: NDArray[np.float32]  # (N, 2) = [normal, abnormal]
    cells: NDArray[np.float32] | None = None  # (N, h, w) 0..1, is disease here? None: it has no such head

    @property
    def probability(self) -> NDArray[np.float64]:
        """(N,) softmax of abnormal, not calibrated."""
        margin = (self.logits[:, 1] - self.logits[:, 0]).astype(np.float64)
        return sigmoid(margin)


def predict(network: Network, prepared: PreparedFilms, rows: Rows, how: Preprocessing) -> Predictions:
    """Run a network over films of a table; it is put into evaluation mode."""
    logits, cells = [np.zeros((0, 2), np.float32)], []
    for outputs in run_over(network, prepared, rows, how):
        logits.append(outputs.logits.float().cpu().numpy())
        if "heat" in outputs.auxiliary:
            cells.append(torch.sigmoid(outputs.auxiliary["heat"].float()).cpu().numpy())
    return Predictions(np.concatenate(logits), np.concatenate(cells) if cells else None)


def run_over(
    network: Network, prepared: PreparedFilms, rows: Rows, how: Preprocessing, films: int = FILMS_AT_ONCE
) -> Iterator[Outputs]:
    """All outputs of a network, a few films at a time, in order."""
    device = next(network.parameters()).device
    network.eval()
    with torch.inference_mode():
        for start in range(0, len(rows), films):
            inputs = normalise(np.stack([prepared.inputs[row] for row in rows[start : start + films]]), how)
            yield network(torch.from_numpy(inputs).to(device))


def scored_rows(films: Sequence[TrainingFilm], rows: Rows) -> Rows:
    """The rows a model is scored on: a label of 0 or 1, and none mined from reports if there are others."""
    labelled = [row for row in rows if films[row].label in (0.0, 1.0)]
    trusted = [row for row in labelled if films[row].truth is not Truth.REPORT]
    return np.array(trusted or labelled, np.intp)


def labels_of(films: Sequence[TrainingFilm], rows: Rows) -> NDArray[np.intp]:
    """(N,) 0 or 1, of rows that have a label."""
    return np.array([int(films[row].label or 0) for row in rows], np.intp)
