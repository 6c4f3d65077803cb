"""Our scan beside what else scores folders of films, and beside the least that the arithmetic takes.

A peer runs in an environment of its own, in a process of its own, with random weights: what is measured is
time. Each program is run once before it counts, so that its code is compiled and its files are in memory.
Then it is run with few films and with many, in turn; the difference is what a film costs.
"""

import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import onnx

from cxr_runtime.benchmark.engines import median_seconds
from cxr_runtime.errors import UsageError
from cxr_runtime.gate.network import GATE_FILE
from cxr_runtime.lungs.field import LUNG_FIELD_FILE
from cxr_runtime.markdown import markdown_table
from cxr_runtime.model.folder import DEFAULT_MODEL, MODELS_FOLDER
from cxr_runtime.reading import read_film

FEW = 4  # films of the shorter runs
SIDE = 1024  # rows and columns of the product that measures how fast a core computes
OURS = "import sys; from cxr_cli import start; start()"
# What torchxrayvision's own scripts/process_batch.py does with a folder, DenseNet121 and a CSV. Its trained
# weights state the resolution; without one it computes a film of any size as it is.
TORCHXRAYVISION = """
import os, sys, pandas, torch, torchxrayvision as xrv
model, rows = xrv.models.DenseNet(weights=None).eval(), []
model.input_resolution = 224
for name in sorted(os.listdir(sys.argv[1])):
    film = torch.from_numpy(xrv.utils.load_image(os.path.join(sys.argv[1], name))).unsqueeze(0)
    with torch.no_grad():
        rows.append([name, *model(film)[0].tolist()])
pandas.DataFrame(rows).to_csv(sys.argv[2] + ".csv")
"""
# What a researcher writes: the same network, Grad-CAM of its last convolutions, an overlay for each film.
GRAD_CAM = """
import os, sys, cv2, numpy as np, torch, torchxrayvision as xrv
model = xrv.models.DenseNet(weights=None).eval()
os.makedirs(sys.argv[2], exist_ok=True)
for name in sorted(os.listdir(sys.argv[1])):
    grey = cv2.imread(os.path.join(sys.argv[1], name), cv2.IMREAD_GRAYSCALE)
    small = cv2.resize(grey, (224, 224), interpolation=cv2.INTER_AREA).astype(np.float32)
    maps = model.features(torch.from_numpy(small / 255 * 2048 - 1024)[None, None])
    maps.retain_grad()
    score = model.classifier(torch.relu(maps).mean(dim=(2, 3)))[0].max()
    score.backward()
    heat = torch.relu((maps.grad.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1))[0].detach().numpy()
    heat = cv2.resize(heat / max(float(heat.max()), 1e-9), grey.shape[::-1])
    colours = cv2.applyColorMap((255 * heat).astype(np.uint8), cv2.COLORMAP_JET)
    overlay = cv2.addWeighted(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), 0.6, colours, 0.4, 0)
    cv2.imwrite(os.path.join(sys.argv[2], name), overlay)
"""


@dataclass(frozen=True)
class Cost:
    """What a program took."""

    wall: float  # seconds
    processor: float  # seconds, its children's too


def peers_table(films: Sequence[Path], python: Path | None, rounds: int = 3) -> str:
    """Measure, and lay out what was measured.

    Args:
        films: more than FEW.
        python: of an environment that has torchxrayvision, or None: there is no peer.
        rounds: how often each program runs with few films and with all of them.

    Raises:
        UsageError: there are too few films.
    """
    if len(films) <= FEW:
        raise UsageError(f"{len(films)} films are too few; expected more than {FEW}")
    programs = {"cxr-triage, all reports": [sys.executable, "-P", "-c", OURS, "scan"]}
    if python is not None:
        programs["torchxrayvision, DenseNet121, a CSV"] = [str(python), "-c", TORCHXRAYVISION]
        programs["PyTorch, DenseNet121, Grad-CAM, overlays"] = [str(python), "-c", GRAD_CAM]
    with TemporaryDirectory() as place:
        folders = {count: _folder(Path(place, str(count)), films[:count]) for count in (FEW, len(films))}
        for command in programs.values():
            _run(command, folders[FEW], Path(place, "out"))
        costs: dict[tuple[str, int], list[Cost]] = {}
        for _ in range(rounds):
            for name, command in programs.items():
                for count, folder in folders.items():
                    costs.setdefault((name, count), []).append(_run(command, folder, Path(place, "out")))
    rows = [_row(name, costs[name, FEW], costs[name, len(films)], len(films) - FEW) for name in programs]
    least = floor(films[:FEW])
    cores = os.cpu_count() or 1
    rows.append(("the floor: decoding and arithmetic", "", "", f"{least / cores:.4f}", f"{least:.4f}"))
    head = ("", f"{len(films)} films, wall s", "processor s", "a further film, wall s", "processor s")
    return markdown_table(head, rows, "lrrrr")


def floor(films: Sequence[Path]) -> float:
    """Seconds of one core for a film: decoding it, and the operations of our networks at the core's peak."""
    contents = [film.read_bytes() for film in films]
    cv2.setNumThreads(1)
    decode = median_seconds(
        lambda: [read_film(content) for content in contents], 1.0, clock=time.process_time
    )
    square = np.ones((SIDE, SIDE), np.float32)
    peak = 2 * SIDE**3 / median_seconds(lambda: square @ square, 1.0, clock=time.process_time)
    networks = (MODELS_FOLDER / DEFAULT_MODEL / "model.onnx", GATE_FILE, LUNG_FIELD_FILE)
    return decode / len(films) + sum(map(operations, networks)) / peak


def operations(network: Path) -> int:
    """Floating point operations of a network's convolutions and products for one film."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(network)).graph
    weights = {one.name: tuple(one.dims) for one in graph.initializer}
    shapes = {
        one.name: [size.dim_value or 1 for size in one.type.tensor_type.shape.dim]
        for one in (*graph.value_info, *graph.output)
    }
    total = 0
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm") and node.input[1] in weights:
            kernel, made = weights[node.input[1]], shapes[node.output[0]]
            places = math.prod(made[2:]) if node.op_type == "Conv" else 1
            total += 2 * places * math.prod(kernel)
    return total


def _folder(folder: Path, films: Sequence[Path]) -> Path:
    folder.mkdir()
    for number, film in enumerate(films):
        shutil.copy(film, folder / f"{number:04d}{film.suffix}")
    return folder


def _run(command: Sequence[str], films: Path, out: Path) -> Cost:
    shutil.rmtree(out, ignore_errors=True)
    scan = ["--out", str(out), "--exit-zero", "--quiet"] if "scan" in command else [str(out)]
    keeps_code = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began, used = time.perf_counter(), sum(os.times()[2:4])
    done = subprocess.run([*command, str(films), *scan], capture_output=True, check=False, env=keeps_code)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["nothing"]
        raise UsageError(f"{command[0]} ended with status {done.returncode}, saying: {said[-1]}")
    return Cost(time.perf_counter() - began, sum(os.times()[2:4]) - used)


def _row(name: str, few: Sequence[Cost], all_of_them: Sequence[Cost], more: int) -> tuple[str, ...]:
    def middle(costs: Sequence[Cost]) -> Mapping[str, float]:
        return {kind: median(getattr(cost, kind) for cost in costs) for kind in ("wall", "processor")}

    short, long = middle(few), middle(all_of_them)
    further = [f"{(long[kind] - short[kind]) / more:.4f}" for kind in long]
    return name, f"{long['wall']:.2f}", f"{long['processor']:.2f}", *further
