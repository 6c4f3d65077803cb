"""A foreign network run over films: its outputs and its feature map."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from cxr_export.films import FILMS_AT_ONCE
from cxr_export.importing.torch_network import OUTPUTS
from cxr_runtime.backends.engine import CONV5, INPUT
from cxr_runtime.errors import ModelError
from cxr_runtime.model.preprocessing import Preprocessing, normalise
from cxr_runtime.offline import load
from cxr_runtime.progress import Progress
from cxr_train.data import TrainingFilm, read_film_table
from cxr_train.data.prepared_films import PreparedFilms, prepare_films
from cxr_train.data.split import Rows
from cxr_train.heat.fit import films_to_look_at
from cxr_train.prediction import labels_of, scored_rows

onnxruntime = load("onnxruntime")

MOST_LOOKED_AT = 100  # films whose maps are kept


class Runner:
    """The network in ONNX Runtime.

    Args:
        model: `image` (B, 3, H, W) -> `outputs` (B, K), `conv5` (B, C, h, w).
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def run(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(B, 3, H, W) normalised -> outputs (B, K), conv5 (B, C, h, w).

        Raises:
            ModelError: it takes no such batch.
        """
        try:
            outputs, conv5 = self._session.run([OUTPUTS, CONV5], {INPUT: batch})
        except Exception as error:
            reason = str(error).strip().partition("\n")[0]
            raise ModelError(
                f"this network cannot be run on {len(batch)} films at once ({reason}); export it anew with "
                "an open batch"
            ) from error
        return outputs, conv5

    def conv5(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The map alone."""
        return self.run(batch)[1]


@dataclass(frozen=True)
class FilmsSeen:
    """Labelled films, and what the network says of them."""

    films: tuple[TrainingFilm, ...] = field(repr=False)
    prepared: PreparedFilms
    labelled: Rows  # (N,)
    outputs: NDArray[np.float32] = field(repr=False)  # (N, K) of these
    averages: NDArray[np.float32] = field(repr=False)  # (N, C) of the map, of these
    looked_at: Rows  # (M,) films for heat, those with boxes first
    conv5: NDArray[np.float32] = field(repr=False)  # (M, C, h, w) of these

    @property
    def labels(self) -> NDArray[np.intp]:
        """(N,) 0 normal, 1 abnormal."""
        return labels_of(self.films, self.labelled)

    @property
    def patients(self) -> list[str]:
        """(N,) whose films these are."""
        return [self.films[row].patient for row in self.labelled]


def see_films(
    data: Sequence[Path], how: Preprocessing, runner: Runner, cache: Path, progress: Progress
) -> FilmsSeen:
    """Prepare the films of data sets as a clinic does, and run the network over them.

    Raises:
        UsageError: a data set or a film cannot be read.
    """
    films = read_film_table(data)
    prepared = prepare_films(films, how, cache, 1, progress)
    labelled = scored_rows(films, np.arange(len(films)))
    looked_at = films_to_look_at(films, np.arange(len(films)))[:MOST_LOOKED_AT]
    outputs, averages = [], []
    progress.begin("running the network over films", len(labelled) + len(looked_at))
    for inputs in _batches(prepared, labelled, how):
        said, conv5 = runner.run(inputs)
        outputs.append(said)
        averages.append(conv5.mean(axis=(2, 3)))
        for _ in inputs:
            progress.advance()
    maps = []
    for inputs in _batches(prepared, looked_at, how):
        maps.append(runner.conv5(inputs))
        for _ in inputs:
            progress.advance()
    progress.end()
    return FilmsSeen(
        films,
        prepared,
        labelled,
        np.concatenate(outputs),
        np.concatenate(averages),
        looked_at,
        np.concatenate(maps),
    )


def _batches(prepared: PreparedFilms, rows: Rows, how: Preprocessing) -> list[NDArray[np.float32]]:
    starts = range(0, len(rows), FILMS_AT_ONCE)
    return [normalise(np.asarray(prepared.inputs[rows[s : s + FILMS_AT_ONCE]]), how) for s in starts]
