"""The measurements as a table and as JSON."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cxr_runtime.backends.nvidia.driver import find_gpus
from cxr_runtime.benchmark.engines import EngineTime
from cxr_runtime.benchmark.stages import StageTime
from cxr_runtime.benchmark.whole_scan import ScanTime
from cxr_runtime.errors import BackendError

_PACKAGES = ("onnxruntime", "onnxruntime-gpu", "openvino", "tensorrt")


@dataclass(frozen=True)
class Benchmark:
    """Everything that was measured."""

    machine: str
    engines: tuple[EngineTime, ...]
    stages: tuple[StageTime, ...] = ()
    scans: tuple[ScanTime, ...] = ()


def describe_machine() -> str:
    """Processor, GPU and versions, one line."""
    parts = [f"{_processor()}, {os.cpu_count()} processors, {platform.system()}"]
    parts.append(f"Python {platform.python_version()}")
    try:
        parts += [f"{gpu.name}, driver {gpu.driver}, CUDA {gpu.cuda}" for gpu in find_gpus()]
    except BackendError:
        parts.append("no GPU")
    for package in _PACKAGES:
        try:
            parts.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return "; ".join(parts)


def as_json(benchmark: Benchmark) -> str:
    """Every number."""
    return json.dumps(asdict(benchmark), indent=1)


def as_markdown(benchmark: Benchmark) -> str:
    """Tables for people."""
    blocks = [f"Machine: {benchmark.machine}.", _engine_table(benchmark.engines)]
    if benchmark.stages:
        rows = [(stage.stage, f"{stage.milliseconds:.2f}") for stage in benchmark.stages]
        blocks.append(_table(("stage", "ms a film"), rows))
    if benchmark.scans:
        rows_of_scans = [_scan_row(scan) for scan in benchmark.scans]
        blocks.append(
            _table(("whole scan", "backend", "scored", "wall s a film", "CPU s a film"), rows_of_scans)
        )
    return "\n\n".join(blocks) + "\n"


def _processor() -> str:
    """The processor's own name, which Python knows on Windows and macOS only."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _engine_table(engines: tuple[EngineTime, ...]) -> str:
    measured = [
        (
            engine.model, engine.precision, engine.provider, str(engine.batch_size),
            f"{engine.milliseconds:.2f}", f"{engine.milliseconds / engine.batch_size:.2f}",
            f"{engine.films_per_second or 0:.0f}", f"{engine.conv5_difference or 0:.1e}",
        )
        for engine in engines
        if engine.milliseconds is not None
    ]  # fmt: skip
    head = ("model", "precision", "provider", "batch", "ms a batch", "ms a film", "films/s", "conv5 differs")
    skipped = {f"{one.backend} ({one.model}): {one.reason}": None for one in engines if one.reason}
    notes = [f"Not measured: {note}." for note in skipped]
    return "\n\n".join([_table(head, measured), *notes])


def _scan_row(scan: ScanTime) -> tuple[str, ...]:
    name = f"{scan.films} films of {scan.side} x {scan.side}, {scan.workers} workers"
    cpu = f"{scan.cpu_seconds / scan.films:.3f}"
    return name, scan.backend, str(scan.scored), f"{scan.seconds_a_film:.3f}", cpu


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
