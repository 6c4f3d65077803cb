"""A TensorRT check for a GPU machine that has nothing but Python 3.10, numpy, tensorrt and pycuda.

Here:   python tests/gpu/carried.py prepare FOLDER [MODEL [DATA]]      (the whole product; any machine)
There:  PYTHONPATH=runtime python tests/gpu/carried.py check FOLDER    (minutes)

MODEL is a model's name or folder, or the name of a network, which gets fresh weights; DATA a data set as for
training. `prepare` writes the typed FP16 network, films and what ONNX Runtime says of them. `check` builds
the engine, reads its precisions back, runs it, compares, and writes results.json into FOLDER.
"""

import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.lib.npyio import NpzFile
    from numpy.typing import NDArray

    from cxr_runtime.model.folder import Model

FACTS_FILE, NETWORK_FILE, FILMS_FILE, REAL_FILE = "facts.json", "network.onnx", "films.npz", "real.npz"
LOG_FILE, RESULTS_FILE = "builder.log", "results.json"
TOLERANCE = 2e-2  # of the largest magnitude, as in the self-test
LARGEST_BATCH, BATCHES = 128, (1, 8, 64, 256)  # half of a batch is computed at once
SECONDS = 3.0  # of each timing
MARGINS = np.linspace(-40, 40, 80_001)  # of logits; where the calibration is written down


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def write_log(folder: Path, log: str) -> None:
    """Keep what the builder said."""
    (folder / LOG_FILE).write_text(log)


def prepare(folder: Path, model_name: str, data: "Path | None") -> None:
    """Write what `check` needs."""
    from dataclasses import asdict

    from cxr_export.gpu.measuring import enter
    from cxr_runtime.backends.graph.half import count_float32_convolutions, half_graph, largest_magnitudes
    from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
    from cxr_runtime.backends.self_test import phantom_batch
    from cxr_runtime.model.folder import open_model
    from cxr_train.networks import NETWORKS

    if model_name in NETWORKS:
        model = enter(model_name).model
    else:
        model = open_model(model_name, allow_uncalibrated=True)
    films = phantom_batch(model.manifest.preprocessing)
    expected = OnnxRuntimeCpu(model.onnx, is_reference=True).run(films)
    half = half_graph(model.onnx, largest_magnitudes(model.onnx, films))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NETWORK_FILE).write_bytes(half)
    point = asdict(model.calibration.operating_point())
    facts = {"model": model.manifest.name, "float32_convolutions": count_float32_convolutions(half), **point}
    (folder / FACTS_FILE).write_text(json.dumps(facts))
    np.savez(folder / FILMS_FILE, films=films, logits=expected.logits, conv5=expected.conv5)
    if data is not None:
        write_real_films(folder, model, data)


def write_real_films(folder: Path, model: "Model", data: Path) -> None:
    """Prepared films that a radiologist classified, and what float32 says of them."""
    from cxr_export.films import run_films
    from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
    from cxr_runtime.model.preprocessing import normalise
    from cxr_train.data import read_data_set
    from cxr_train.data.prepared_films import prepare_films
    from cxr_train.prediction import scored_rows

    how, films = model.manifest.preprocessing, read_data_set(data).films
    films = tuple(films[row] for row in scored_rows(films, np.arange(len(films))))
    inputs = np.asarray(prepare_films(films, how).inputs)
    logits = run_films(OnnxRuntimeCpu(model.onnx), inputs, how).logits
    greys = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    np.savez_compressed(
        folder / REAL_FILE,
        inputs=inputs,
        levels=normalise(greys, how).reshape(3, 256),
        logits=logits,
        probabilities=model.calibration.probability(MARGINS),
    )


def check(folder: Path) -> None:
    """Build, inspect, run and compare; an assertion tells what is wrong."""
    from cxr_runtime.backends.nvidia.builder import BuildOptions, build_engine
    from cxr_runtime.backends.nvidia.driver import find_gpus
    from cxr_runtime.backends.nvidia.memory import open_memory
    from cxr_runtime.backends.nvidia.plan import plan_layers, refuse_wrong_precision

    gpu, facts = find_gpus()[0], json.loads((folder / FACTS_FILE).read_text())
    say(str(gpu))
    told = np.load(folder / FILMS_FILE)
    memory = open_memory()
    options = BuildOptions(tuple(told["films"].shape[2:]), usual_batch=64, largest_batch=LARGEST_BATCH)
    onnx, keep_log = (folder / NETWORK_FILE).read_bytes(), partial(write_log, folder)
    with memory.current():
        built = build_engine(onnx, options, say=say, keep_log=keep_log)
        layers = plan_layers(built.plan, LARGEST_BATCH)
    memory.close()
    refuse_wrong_precision(layers, "fp16", facts["float32_convolutions"])
    say(f"{sum(layer.precision == 'fp16' for layer in layers)} of {len(layers)} layers in FP16")
    results = {"gpu": vars(gpu), "model": facts["model"], "build_seconds": built.seconds}
    results.update(compare_outputs(built.plan, told))
    results["films_per_second"] = {batch: measure_rate(built.plan, told["films"], batch) for batch in BATCHES}
    if (folder / REAL_FILE).is_file():
        results.update(compare_real_films(built.plan, np.load(folder / REAL_FILE), facts))
    (folder / RESULTS_FILE).write_text(json.dumps(results, indent=1))


def compare_outputs(plan: bytes, told: "NpzFile") -> "dict[str, float]":
    """How far both outputs are from float32 on drawn films."""
    from cxr_runtime.backends.nvidia.memory import open_memory
    from cxr_runtime.backends.nvidia.runner import TensorRtRunner

    runner = TensorRtRunner(plan, open_memory(), 4)
    outputs = runner.run(told["films"])
    runner.close()
    found = {
        f"{name}_difference": float(np.abs(outputs[name] - told[name]).max() / np.abs(told[name]).max())
        for name in ("logits", "conv5")
    }
    say(f"of their largest magnitude: {found}")
    assert max(found.values()) < TOLERANCE
    return found


def measure_rate(plan: bytes, films: "NDArray[np.float32]", batch: int) -> float:
    """Films a second from host memory to host memory, both outputs copied back."""
    from cxr_runtime.backends.nvidia.memory import open_memory
    from cxr_runtime.backends.nvidia.runner import TensorRtRunner

    memory = open_memory()
    runner = TensorRtRunner(plan, memory, (batch + 1) // 2)
    many = np.ascontiguousarray(np.resize(films, (batch, *films.shape[1:])))
    runner.run(many)
    started, runs = time.perf_counter(), 0
    while time.perf_counter() < started + SECONDS:
        runner.run(many)
        runs += 1
    rate = runs * batch / (time.perf_counter() - started)
    say(f"{rate:.0f} films/s in batches of {batch}, CUDA graph: {runner.is_recorded}, by {memory.library}")
    runner.close()
    return rate


def compare_real_films(plan: bytes, real: "NpzFile", facts: "dict[str, float]") -> "dict[str, float]":
    """Scores and triage against float32, film by film."""
    from cxr_runtime.backends.nvidia.memory import open_memory
    from cxr_runtime.backends.nvidia.runner import TensorRtRunner

    runner = TensorRtRunner(plan, open_memory(), 32)
    films = np.ascontiguousarray(real["levels"][:, real["inputs"]].transpose(1, 0, 2, 3))
    one, other = (probability_of(logits, real) for logits in (real["logits"], runner.run(films)["logits"]))
    runner.close()
    found = {
        "films": len(films),
        "score_change": float(100 * np.abs(one - other).max()),
        "triage_changes": int((triage_of(one, facts) != triage_of(other, facts)).sum()),
    }
    say(f"on real films: {found}")
    assert found["score_change"] <= 0.5
    assert found["triage_changes"] == 0
    return found


def probability_of(logits: "NDArray[np.float32]", real: "NpzFile") -> "NDArray[np.float64]":
    """Calibrated, by the written-down calibration."""
    margins = logits[:, 1].astype(np.float64) - logits[:, 0]
    return np.asarray(np.interp(margins, MARGINS, real["probabilities"]), np.float64)


def triage_of(probability: "NDArray[np.float64]", facts: "dict[str, float]") -> "NDArray[np.int64]":
    """0 not flagged, 1 flagged, 2 review."""
    flagged = (probability >= facts["threshold"]).astype(np.int64)
    low, high = facts["review_low"], facts["review_high"]
    if low is None or high is None:
        return flagged
    return np.where((probability >= low) & (probability <= high), 2, flagged)


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        model_name = sys.argv[3] if len(sys.argv) > 3 else "default"
        prepare(Path(sys.argv[2]), model_name, Path(sys.argv[4]) if len(sys.argv) > 4 else None)
    else:
        check(Path(sys.argv[2]))
