"""What a network gives is looked at before any film gets a row of it."""

from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.backends.engine import Engine, Outputs
from cxr_runtime.errors import BackendError, CxrTriageError, ModelError
from cxr_runtime.heat.map import HeatMethod
from cxr_runtime.model.folder import open_model
from cxr_runtime.scanning.scoring import Scorer
from model_folders import INPUT, write_model_folder

BATCH, CELLS = 2, 8
RIGHT = Outputs(np.zeros((BATCH, 2), np.float32), np.zeros((BATCH, 1, CELLS, CELLS), np.float32))


class Giving:
    """An engine that gives the same whatever it is shown."""

    backend = "drawn"
    batch_step = None

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs

    def run(self, _batch: object) -> Outputs:
        return self._outputs


def infer(folder: Path, outputs: Outputs) -> Outputs:
    model = open_model(write_model_folder(folder))
    engine = cast("Engine", Giving(outputs))
    scorer = Scorer(model, engine, model.calibration.operating_point(), HeatMethod.CAM, BATCH)
    return scorer._infer([np.zeros((INPUT, INPUT), np.uint8)])


def test_outputs_of_the_stated_shape_are_taken(tmp_path: Path) -> None:
    assert infer(tmp_path, RIGHT) is RIGHT


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (replace(RIGHT, logits=np.zeros((BATCH, 3), np.float32)), ModelError),
        (replace(RIGHT, logits=np.zeros((1, 2), np.float32)), ModelError),
        (replace(RIGHT, logits=np.zeros((BATCH, 2), np.float64)), ModelError),
        (replace(RIGHT, conv5=np.zeros((BATCH, 7, CELLS, CELLS), np.float32)), ModelError),
        (replace(RIGHT, conv5=np.zeros((BATCH, 1, CELLS), np.float32)), ModelError),
        (replace(RIGHT, logits=np.full((BATCH, 2), np.nan, np.float32)), BackendError),
    ],
)
def test_outputs_that_do_not_fit_the_manifest_blame_no_film(
    tmp_path: Path, wrong: Outputs, error: type[CxrTriageError]
) -> None:
    with pytest.raises(error) as refused:
        infer(tmp_path, wrong)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_status == 1


@pytest.mark.parametrize(("films", "step", "padded"), [(1, None, 8), (1, 4, 4), (5, 4, 8), (3, 3, 8)])
def test_a_batch_is_filled_as_far_as_the_engine_asks(
    tmp_path: Path, films: int, step: int | None, padded: int
) -> None:
    engine, model = Sized(step), open_model(write_model_folder(tmp_path))
    scorer = Scorer(model, cast("Engine", engine), model.calibration.operating_point(), HeatMethod.CAM, 8)
    scorer._infer([np.zeros((INPUT, INPUT), np.uint8)] * films)
    assert engine.sizes == [padded]


class Sized:
    """An engine that notes how many films it is shown."""

    backend = "drawn"

    def __init__(self, batch_step: int | None) -> None:
        self.batch_step, self.sizes = batch_step, list[int]()

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        self.sizes.append(len(batch))
        return Outputs(
            np.zeros((len(batch), 2), np.float32), np.zeros((len(batch), 1, CELLS, CELLS), np.float32)
        )
