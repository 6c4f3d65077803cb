"""From examined films to rows: fixed, padded batches through the engine, then calibration and heat."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.engine import Engine, Outputs
from cxr_runtime.errors import BackendError
from cxr_runtime.film import GreyPixels
from cxr_runtime.heat.map import HeatMethod, film_heat, heat_cells
from cxr_runtime.lungs import heat_share
from cxr_runtime.model.calibration import OperatingPoint
from cxr_runtime.model.folder import Model
from cxr_runtime.model.preprocessing import InputPixels, normalise
from cxr_runtime.outcome import Outcome, Status
from cxr_runtime.scanning.examination import Examined
from cxr_runtime.store.store import StoredPicture, StoredScore


@dataclass(frozen=True)
class Finished:
    """One film as it goes into the store."""

    score: StoredScore
    picture: StoredPicture | None = None  # None where the file could not be read
    preview: GreyPixels | None = field(default=None, repr=False)  # of a scored film, for drawing it
    heat: NDArray[np.float32] | None = field(default=None, repr=False)  # (h, w) over the whole film, likewise


@dataclass(frozen=True)
class Scorer:
    """Gives films their rows, the same row whichever films share a batch."""

    model: Model
    engine: Engine
    point: OperatingPoint
    heat_method: HeatMethod
    batch_size: int

    def score(self, batch: Sequence[tuple[str, Examined]]) -> list[Finished]:
        """Score admitted films.

        Args:
            batch: at most `batch_size` pairs of the film's `file` and its examination, which has `inputs`.

        Raises:
            BackendError: the device failed, or the network gave a number that is not finite.
        """
        started = time.perf_counter()
        inputs = [examined.inputs for _, examined in batch if examined.inputs is not None]
        outputs = self._infer(inputs)
        each = (time.perf_counter() - started) / len(batch)
        return [
            self._scored(file, examined, outputs.logits[i], outputs.conv5[i], each)
            for i, (file, examined) in enumerate(batch)
        ]

    def judge(self, outcome: Outcome, margin: float) -> Outcome:
        """The row with the probability and triage that the calibration and operating point give a margin."""
        probability = float(self.model.calibration.probability(np.array([margin]))[0])
        return replace(
            outcome,
            probability=probability,
            triage=self.point.triage(probability),
            threshold=self.point.threshold,
            operating_point=self.point.name,
        )

    def _infer(self, inputs: list[InputPixels]) -> Outputs:
        """Run one batch, padded with black films to the full batch size."""
        how = self.model.manifest.preprocessing
        padded = np.zeros((self.batch_size, *how.input_hw), np.uint8)
        padded[: len(inputs)] = np.stack(inputs)
        outputs = self.engine.run(normalise(padded, how))
        if not (np.isfinite(outputs.logits).all() and np.isfinite(outputs.conv5).all()):
            raise BackendError(
                f"the backend {self.engine.backend} gave a number that is not finite; nothing of this batch "
                "was scored: run `cxr-triage doctor`, or scan with --backend onnxruntime"
            )
        return outputs

    def _scored(
        self,
        file: str,
        examined: Examined,
        logits: NDArray[np.float32],
        conv5: NDArray[np.float32],
        seconds: float,
    ) -> Finished:
        assert examined.placement is not None
        assert examined.inputs is not None
        assert examined.lungs is not None
        lungs = examined.lungs
        manifest = self.model.manifest
        margin = float(logits[1]) - float(logits[0])
        placement = examined.placement
        recipe, method = manifest.heat, self.heat_method
        cells = heat_cells(conv5, recipe, method, placement, lungs.box_film_xyxy)
        heat = film_heat(cells, placement, recipe, method)
        outcome = replace(
            self.judge(_row(file, examined, Status.SCORED), margin),
            lung_heat_share=heat_share(heat, lungs, recipe.threshold_of(method)),
            model=manifest.name,
            model_sha256=manifest.model_sha256,
            backend=self.engine.backend,
            seconds=examined.seconds + seconds,
        )
        shown = examined.inputs / 255
        score = StoredScore(
            outcome,
            margin=margin,
            input_mean=float(shown.mean()),
            input_contrast=float(shown.std()),
            finished=_now(),
        )
        picture = StoredPicture(examined.preview_jpeg, placement, cells, lungs.outlines)
        return Finished(score, picture, examined.preview, heat)


def unscored(file: str, examined: Examined) -> Finished:
    """The row of a film that was not read, or not admitted."""
    status = Status.FAILED if examined.facts is None else Status.REJECTED
    score = StoredScore(_row(file, examined, status), None, None, None, _now())
    picture = None
    if examined.placement is not None:
        picture = StoredPicture(examined.preview_jpeg, examined.placement, heat_cells=None)
    return Finished(score, picture)


def _row(file: str, examined: Examined, status: Status) -> Outcome:
    """What is known of any film, scored or not."""
    code, message = examined.remark
    if examined.error is not None:
        code, message = examined.error.code, examined.error.sentence
    view = "" if examined.facts is None else examined.facts.view.value
    return Outcome(file, examined.sha256, status, code, message, view=view, seconds=examined.seconds)


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
