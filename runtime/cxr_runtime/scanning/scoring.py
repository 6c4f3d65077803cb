"""From admitted films to scores: fixed, padded batches through the engine, then calibration and heat."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.engine import CONV5, LOGITS, Engine, Outputs
from cxr_runtime.errors import BackendError, ModelError
from cxr_runtime.heat.map import HeatMethod, film_heat, heat_cells
from cxr_runtime.lungs import heat_share
from cxr_runtime.model.calibration import Calibration, OperatingPoint
from cxr_runtime.model.folder import Model, open_model
from cxr_runtime.model.looks import looks_of
from cxr_runtime.model.preprocessing import InputPixels, normalise
from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.scanning.examination import Admitted, Rejected, Unread
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.store.rows import Judged, Place, StoredScore

MOST_FEATURE = 127.0  # of int8; cosines of a film's numbers do not change with their scale
FAINT = np.float32(1e-30)  # in place of the largest of a film whose numbers are all 0
JUDGED_AT_ONCE = 1000  # films in memory
_JUDGEMENT = Judged._fields.index("probability")


@dataclass(frozen=True)
class Scored:
    """A film with its score and its heat, before it is drawn."""

    place: Place
    film: Admitted
    score: StoredScore
    cells: NDArray[np.float32] = field(repr=False)  # (h, w) heat on conv5's cells
    heat: NDArray[np.float32] = field(repr=False)  # (h, w) heat over the whole film, as it is shown
    features: bytes = field(repr=False)  # by which similar films are found: see `FinishedFilm`


@dataclass(frozen=True)
class Unscored:
    """A film without a score, with its row."""

    place: Place
    film: Unread | Rejected
    score: StoredScore


@dataclass(frozen=True)
class Scorer:
    """Gives films their rows, the same row whichever films share a batch."""

    model: Model
    engine: Engine
    point: OperatingPoint
    heat_method: HeatMethod
    batch_size: int

    def score(self, batch: Sequence[tuple[Place, Admitted]]) -> list[Scored]:
        """Score admitted films, at most `batch_size`.

        Raises:
            BackendError: the device failed, or the network gave a number that is not finite.
            ModelError: the network's outputs are not those of its manifest.
        """
        started = time.perf_counter()
        outputs = self._infer([film.inputs for _, film in batch])
        pooled = outputs.conv5.mean(axis=(2, 3))  # (B, C)
        features = np.rint(
            pooled * (MOST_FEATURE / np.maximum(abs(pooled).max(axis=1, keepdims=True), FAINT))
        )
        each = (time.perf_counter() - started) / len(batch)
        return [
            self._scored(place, film, outputs.logits[i], outputs.conv5[i], features[i], each)
            for i, (place, film) in enumerate(batch)
        ]

    def _infer(self, inputs: list[InputPixels]) -> Outputs:
        """Run one batch, padded with black films as the engine asks; it must give what the model states."""
        how, step = self.model.manifest.preprocessing, self.engine.batch_step or self.batch_size
        if self.batch_size % step:
            step = self.batch_size
        size = -(-len(inputs) // step) * step
        padded = np.zeros((size, *how.input_hw), np.uint8)
        padded[: len(inputs)] = np.stack(inputs)
        outputs = self.engine.run(normalise(padded, how))
        channels = len(self.model.manifest.heat.channel_weights)
        logits, conv5 = outputs.logits, outputs.conv5
        is_right = logits.shape == (size, 2) and conv5.shape[:2] == (size, channels)
        if not (is_right and conv5.ndim == 4 and logits.dtype == conv5.dtype == np.float32):
            raise ModelError(  # no film is to blame
                f"the network of {self.model.folder} gives {LOGITS} of {logits.dtype} {logits.shape} and "
                f"{CONV5} of {conv5.dtype} {conv5.shape} for {size} films; expected float32, 2 "
                f"logits and {channels} channels: export the model anew"
            )
        if not (np.isfinite(outputs.logits).all() and np.isfinite(outputs.conv5).all()):
            raise BackendError(
                f"the backend {self.engine.backend} gave a number that is not finite; nothing of this batch "
                "was scored: run `cxr-triage doctor`, or scan with --backend onnxruntime"
            )
        return outputs

    def _scored(
        self,
        place: Place,
        film: Admitted,
        logits: NDArray[np.float32],
        conv5: NDArray[np.float32],
        features: NDArray[np.float32],
        seconds: float,
    ) -> Scored:
        manifest = self.model.manifest
        margin = float(logits[1]) - float(logits[0])
        view = manifest.heat.view(self.heat_method)
        cells = heat_cells(conv5, manifest.heat, self.heat_method, film.placement, film.lungs.box_film_xyxy)
        heat = film_heat(cells, film.placement, view)
        code, message = film.remark
        row = Outcome(
            place.file,
            film.sha256,
            Status.SCORED,
            code,
            message,
            view=film.facts.view.value,
            lung_heat_share=heat_share(heat, film.lungs, view.threshold),
            model=manifest.name,
            model_sha256=manifest.model_sha256,
            backend=self.engine.backend,
            seconds=film.seconds + seconds,
        )
        shown = film.inputs / 255
        score = StoredScore(
            with_triage(row, margin, self.model.calibration, self.point),
            margin=margin,
            input_mean=float(shown.mean()),
            input_contrast=float(shown.std()),
            finished=datetime.now().astimezone().isoformat(timespec="seconds"),
            looks=looks_of(film.preview, film.lungs, film.inputs),
        )
        return Scored(place, film, score, cells, heat, features.astype(np.int8).tobytes())


def opened_model(options: ScanOptions) -> Model:
    """The model that a scan asks for, which has what is asked of it: nothing is written before that is known.

    Raises:
        ModelError: the model or its calibration is refused.
        CalibrationError: the calibration has no such operating point.
        UsageError: there is no such model or heat map.
    """
    model = open_model(
        options.model,
        allow_uncalibrated=options.allow_uncalibrated,
        calibration=options.calibration,
        require_signed=options.require_signed,
    )
    model.calibration.operating_point(options.operating_point)
    model.manifest.heat.view(options.heat)
    return model


def unscored(place: Place, film: Unread | Rejected) -> Unscored:
    """The row of a film that was not read, or not admitted."""
    match film:
        case Unread():
            status, view = Status.FAILED, ""
        case Rejected():
            status, view = Status.REJECTED, film.facts.view.value
    error = film.error
    row = Outcome(
        place.file, film.sha256, status, error.code, error.sentence, view=view, seconds=film.seconds
    )
    return Unscored(
        place,
        film,
        StoredScore(row, None, None, None, datetime.now().astimezone().isoformat(timespec="seconds")),
    )


def opened_engine(model: Model, options: ScanOptions, threads: int | None = None) -> Engine:
    """The engine that a scan asks for; a scan with nothing new to score imports no backend.

    Raises:
        UsageError: there is no backend of that name.
        BackendError: the asked backend is not usable.
    """
    from cxr_runtime.backends import open_engine
    from cxr_runtime.backends.timed import TimedEngine

    engine = open_engine(
        model,
        options.backend,
        batch_size=options.batch_size,
        threads=threads,
        require_gpu=options.require_gpu,
    )
    return TimedEngine(engine)


def with_triage(row: Outcome, margin: float, calibration: Calibration, point: OperatingPoint) -> Outcome:
    """The row with the probability and triage that a calibration and operating point give a margin."""
    probability = float(calibration.probability(np.array([margin]))[0])
    return replace(
        row,
        probability=probability,
        triage=point.triage(probability),
        threshold=point.threshold,
        operating_point=point.name,
    )


def judged_anew(films: Iterable[Judged], calibration: Calibration, point: OperatingPoint) -> Iterator[Judged]:
    """Films, of earlier runs mostly, that today's calibration and operating point judge otherwise."""
    waiting = iter(films)
    while block := list(islice(waiting, JUDGED_AT_ONCE)):
        together = calibration.probability(np.array([film.margin for film in block], np.float64))
        for film, probability in zip(block, together.tolist(), strict=True):
            if _judgement(probability, point) != film[_JUDGEMENT:]:
                alone = float(calibration.probability(np.array([film.margin]))[0])  # as it was judged before
                now = film[:_JUDGEMENT] + _judgement(alone, point)
                if now != film:
                    yield Judged._make(now)


def _judgement(probability: float, point: OperatingPoint) -> tuple[float, Triage, float, str]:
    """The columns of `Judged` that calibration and operating point decide."""
    return probability, point.triage(probability), point.threshold, point.name
