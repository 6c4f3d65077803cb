"""A TensorRT check for a GPU machine that has nothing but Python 3.10, numpy, tensorrt and pycuda.

Here:   python tests/gpu/carried.py prepare FOLDER [MODEL]      (the whole product; any machine)
There:  PYTHONPATH=runtime python tests/gpu/carried.py check FOLDER

`prepare` writes the typed FP16 network, drawn films and what ONNX Runtime says of them; `check` builds the
engine, reads its precisions back, runs it and compares, with times.
"""

import json
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np

CONVOLUTIONS_FILE, NETWORK_FILE, FILMS_FILE = "facts.json", "network.onnx", "films.npz"
LOG_FILE = "builder.log"
TOLERANCE = 2e-2  # of the largest magnitude, as in the self-test
TIMED_FILMS, BATCH = 256, 64


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def write_log(folder: Path, log: str) -> None:
    """Keep what the builder said."""
    (folder / LOG_FILE).write_text(log)


def prepare(folder: Path, model_name: str) -> None:
    """Write what `check` needs."""
    from cxr_runtime.backends.graph.half import count_float32_convolutions, half_graph
    from cxr_runtime.backends.graph.magnitudes import largest_magnitudes
    from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
    from cxr_runtime.backends.phantom_batch import phantom_batch
    from cxr_runtime.model import open_model

    model = open_model(model_name, allow_uncalibrated=True)
    films = phantom_batch(model.manifest.preprocessing)
    expected = OnnxRuntimeCpu(model.onnx, is_reference=True).run(films)
    half = half_graph(model.onnx, largest_magnitudes(model.onnx, films))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NETWORK_FILE).write_bytes(half)
    facts = {"float32_convolutions": count_float32_convolutions(half)}
    (folder / CONVOLUTIONS_FILE).write_text(json.dumps(facts))
    np.savez(folder / FILMS_FILE, films=films, logits=expected.logits, conv5=expected.conv5)


def check(folder: Path) -> None:
    """Build, inspect, run and compare; an assertion tells what is wrong."""
    from cxr_runtime.backends.nvidia.builder import BuildOptions, build_engine
    from cxr_runtime.backends.nvidia.driver import find_gpus
    from cxr_runtime.backends.nvidia.inspector import plan_layers, refuse_wrong_precision
    from cxr_runtime.backends.nvidia.memory import open_memory
    from cxr_runtime.backends.nvidia.runner import TensorRtRunner

    say(str(find_gpus()))
    told = np.load(folder / FILMS_FILE)
    films = told["films"]
    memory = open_memory()
    options = BuildOptions(tuple(films.shape[2:]), usual_batch=BATCH, largest_batch=BATCH)
    with memory.current():
        onnx = (folder / NETWORK_FILE).read_bytes()
        built = build_engine(onnx, options, say=say, keep_log=partial(write_log, folder))
        layers = plan_layers(built.plan, BATCH)
    facts = json.loads((folder / CONVOLUTIONS_FILE).read_text())
    refuse_wrong_precision(layers, "fp16", facts["float32_convolutions"])
    say(f"{sum(layer.precision == 'fp16' for layer in layers)} of {len(layers)} layers in FP16")
    runner = TensorRtRunner(built.plan, memory, BATCH)
    outputs = runner.run(films)
    for name in ("logits", "conv5"):
        difference = float(np.abs(outputs[name] - told[name]).max() / np.abs(told[name]).max())
        say(f"{name} differ by {difference:.1e} of their largest magnitude")
        assert difference < TOLERANCE, name
    many = np.resize(films, (TIMED_FILMS, *films.shape[1:]))
    runner.run(many)
    started = time.perf_counter()
    runner.run(many)
    rate = TIMED_FILMS / (time.perf_counter() - started)
    say(f"{rate:.0f} films/s in batches of {BATCH}, CUDA graph: {runner.is_recorded}, by {memory.library}")
    runner.close()


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "default")
    else:
        check(Path(sys.argv[2]))
