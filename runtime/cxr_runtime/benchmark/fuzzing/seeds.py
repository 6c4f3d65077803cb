"""What else a fuzzer starts from: answers of workers, files of models, graphs, stores."""

import json
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cxr_runtime.backends.graph.messages import constant, new_node, read_model
from cxr_runtime.benchmark.fuzzing.film_seeds import SMALL_HW
from cxr_runtime.errors import RejectedFilmError, UnreadableFilmError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.film import FilmFacts, View
from cxr_runtime.heat.map import HeatMethod, HeatView
from cxr_runtime.lungs.mask import lung_mask
from cxr_runtime.model.folder import DEFAULT_MODEL, MODELS_FOLDER
from cxr_runtime.model.preprocessing import Preprocessing, place
from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_jpeg
from cxr_runtime.placement import CellGrid, Placement
from cxr_runtime.scanning.answers import Examining
from cxr_runtime.scanning.examination import Admitted, Rejected, Unread
from cxr_runtime.store.rows import FinishedFilm, Place, RunFacts, StoredPicture, StoredScore
from cxr_runtime.store.writer import StoreWriter
from cxr_runtime.workers.answers import Content, Said, frame, tell

HOW = Preprocessing(input_hw=(32, 48), crop="lung-field")  # of the answers
DIGEST = "0123456789abcdef" * 4
_JSON_ENTRIES = 2  # of a list or mapping of the default model that a seed keeps


@cache
def contents() -> tuple[Content, ...]:
    """What a worker says of a film that was admitted, of one that was rejected, and of one not read."""
    random = np.random.default_rng(1)
    soft = np.zeros((40, 40), np.uint8)
    soft[8:30, 5:16] = soft[8:30, 24:35] = 200
    film_hw = (2048, 1024)
    lungs = lung_mask(soft, film_hw)
    facts = FilmFacts("dicom", 12, view=View.PA, body_part="CHEST", age_years=40.5, stored_hw=(90, 70))
    preview = random.integers(0, 256, (1024, 512), np.uint8)
    inputs = random.integers(0, 256, HOW.input_hw, np.uint8)
    where = place(film_hw, lungs.box_film_xyxy, HOW)
    lateral = RejectedFilmError("lateral", "It is lateral.", 0.75)
    small = random.integers(0, 256, (90, 70), np.uint8)
    films = (
        Admitted(DIGEST, ("", ""), facts, preview, where, lungs, inputs, 99, 0.125),
        Rejected(DIGEST, lateral, facts, small, (90, 70), 1234, 0.5),
        Unread(DIGEST, UnreadableFilmError("damaged", "It is damaged."), 0.25),
    )
    return tuple(Examining().encode(film) for film in films)


def answer_seeds() -> tuple[bytes, ...]:
    """Whole answers of a worker, as they come through its pipe."""
    said = [
        *((Said.DONE, content) for content in contents()[1:]),
        (Said.READY, tell()),
        (Said.FAILED, tell(failure="unknown", told="ValueError: no")),
    ]
    return tuple(b"".join(frame(*one)) for one in said)


def text_seeds() -> tuple[bytes, ...]:
    """The texts of answers alone."""
    return tuple(content.text for content in contents())


def json_seeds(name: str) -> tuple[bytes, ...]:
    """A JSON file of the default model, whole, and with long lists cut or gone; without its digest."""
    whole = json.loads((MODELS_FOLDER / DEFAULT_MODEL / name).read_bytes())
    for mark in ("content_sha256", "made_here"):
        whole.pop(mark, None)
    return json.dumps(_shortened(whole)).encode(), json.dumps(whole).encode()


def _shortened(value: Any) -> Any:
    match value:
        case dict():
            # Looks are lists of one length: cut, they would be no calibration.
            return {key: _shortened(entry) for key, entry in value.items() if key != "looks"}
        case list() if len(value) > 4:
            return [_shortened(entry) for entry in value[:_JSON_ENTRIES]]
        case list():
            return [_shortened(entry) for entry in value]
        case _:
            return value


def graph_seeds() -> tuple[bytes, ...]:
    """Small ONNX files with what is rewritten: LRN, convolutions, quantised values and biases."""
    model = read_model(b"\x3a\x00")  # ModelProto with an empty graph
    graph = model.graph
    for name in ("image", "relu", "logits"):
        value = (graph.output if name == "logits" else graph.input).add(name=name)
        for side in (1, 3, 8, 8):
            value.type.tensor_type.shape.dim.add(dim_value=side)
    norm = new_node("LRN", ["image"], ["norm"], size=5)
    for name, number in (("alpha", 1e-4), ("beta", 0.75), ("bias", 1.0)):
        norm.attribute.add(name=name, f=number, type=1)
    weights = np.ones((3, 3, 1, 1), np.float32)
    graph.node.extend(
        [
            norm,
            new_node("Conv", ["norm", "w"], ["conv"]),
            new_node("Relu", ["conv"], ["relu"]),
            new_node("QuantizeLinear", ["relu", "scale", "zero"], ["q"]),
            new_node("DequantizeLinear", ["q", "scale", "zero"], ["dq"]),
            new_node("DequantizeLinear", ["bias", "scale"], ["b"]),
            new_node("Conv", ["dq", "w", "b"], ["logits"]),
        ]
    )
    graph.initializer.extend(
        [
            constant("w", weights),
            constant("scale", np.array(0.1, np.float32)),
            constant("zero", np.array(0, np.uint8)),
            constant("bias", np.array([1, 2, 3], np.int32)),
        ]
    )
    return (bytes(model.SerializeToString()),)


def store_seed() -> bytes:
    """The store of a scan of three films, as one file."""
    with tempfile.TemporaryDirectory() as name, StoreWriter.open(Path(name)) as store:
        run = store.begin_run()
        store.add(run, [_scored(number) for number in (1, 2)] + [_unread(3)], "f" * 64)
        store.note_written("results.csv", "0" * 64, "1:2:3")
        store.end_run(run, _facts())
        store.close()
        return (Path(name) / STORE_FILE).read_bytes()


def _scored(number: int) -> FinishedFilm:
    digest, where = f"{number:064x}", Place(number, f"night/{number}.png", f"1:{number}:3")
    outcome = Outcome(
        where.file, digest, Status.SCORED, "", "", 0.25 * number, Triage.FLAGGED, 0.25, "balanced", "PA", 0.9,
        "default", DIGEST, "onnxruntime-cpu", 0.05,
    )  # fmt: skip
    film = draw_phantom(number, hw=SMALL_HW)
    placement = Placement(SMALL_HW, (0.0, 0.0, 80.0, 96.0), (32, 32))
    outlines = (((0.2, 0.2), (0.4, 0.2), (0.3, 0.7)),)
    picture = StoredPicture(
        encode_jpeg(film), placement, np.eye(4, dtype=np.float32), outlines, encode_jpeg(film)
    )
    return FinishedFilm(
        where, StoredScore(outcome, 0.5, 0.4, 0.2, "2026-01-02T03:04:05+00:00"), picture, 1000
    )


def _unread(number: int) -> FinishedFilm:
    outcome = Outcome(f"night/{number}.png", f"{number:064x}", Status.FAILED, "truncated", "It ends early.")
    return FinishedFilm(Place(number, outcome.file, ""), StoredScore(outcome, None, None, None, ""), size=10)


def _facts() -> RunFacts:
    return RunFacts(
        product="cxr-triage", finished=datetime(2026, 1, 2, tzinfo=UTC), inputs=("night",), model="default",
        model_sha256=DIGEST, licence="", backend="onnxruntime-cpu", is_calibrated=True,
        operating_point="balanced", threshold=0.25, is_met=True, sensitivity=0.9, specificity=0.8,
        heat=HeatView(HeatMethod.CAM, CellGrid(2.0, 4.0), 0.3, stretch=1.0, offset=0.0),
    )  # fmt: skip
