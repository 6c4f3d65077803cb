"""All measurements in turn, as tables and as JSON."""

import json
import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version

from cxr_runtime.backends.nvidia.driver import find_gpus
from cxr_runtime.backends.registry import BACKENDS
from cxr_runtime.benchmark.engines import EngineTime, known_backends, measure_engines
from cxr_runtime.benchmark.own_code import OwnCode, measure_own_code
from cxr_runtime.benchmark.scans import ScanTime, StageTime, measure_scan, measure_stages
from cxr_runtime.errors import BackendError, UsageError
from cxr_runtime.markdown import markdown_table
from cxr_runtime.model.folder import DEFAULT_MODEL, open_model
from cxr_runtime.processor import processor

_PACKAGES = ("onnxruntime", "onnxruntime-gpu", "openvino", "tensorrt")


@dataclass(frozen=True)
class Benchmark:
    """Everything that was measured."""

    machine: str
    engines: tuple[EngineTime, ...]
    stages: tuple[StageTime, ...] = ()
    scans: tuple[ScanTime, ...] = ()
    own_code: tuple[OwnCode, ...] = ()


@dataclass(frozen=True)
class BenchmarkOptions:
    """What to measure."""

    models: tuple[str, ...] = (DEFAULT_MODEL,)  # names or folders
    backends: tuple[str, ...] = ()  # all of them if empty
    batch_sizes: tuple[int, ...] = (1, 8, 32)  # films a batch
    films: int = 32  # in a whole scan; 0: the networks alone
    side: int = 1024  # rows and columns of each film
    seconds: float = 1.0  # wall time of each measurement
    threads: int | None = None  # processor threads of a network; None: the backend's own number


def measure(options: BenchmarkOptions) -> Benchmark:
    """Measure this machine.

    Raises:
        UsageError: there is no backend of that name.
        ModelError: a model cannot be opened.
    """
    unknown = [name for name in options.backends if name not in BACKENDS]
    if unknown:
        raise UsageError(f"backend {unknown[0]!r} is not known; choose some of: {', '.join(BACKENDS)}")
    models = [open_model(name, allow_uncalibrated=True) for name in options.models]
    backends = options.backends or known_backends()
    engines = [
        time
        for model in models
        for time in measure_engines(model, backends, options.batch_sizes, options.seconds, options.threads)
    ]
    if not options.films:
        return Benchmark(describe_machine(), tuple(engines))
    batch_size = min(8, options.films)
    return Benchmark(
        describe_machine(),
        tuple(engines),
        tuple(measure_stages(models[0], options.side, batch_size, options.seconds)),
        tuple(measure_scan(name, options.films, options.side, batch_size) for name in options.models),
        tuple(measure_own_code(options.side, options.seconds)),
    )


def describe_machine() -> str:
    """Processor, GPU and versions, one line."""
    parts = [f"{processor()}, {os.cpu_count()} processors, {platform.system()}"]
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
        blocks.append(markdown_table(("stage", "ms a film"), rows))
    if benchmark.scans:
        head = ("whole scan", "backend", "scored", "wall s a film", "CPU s a film")
        blocks.append(markdown_table(head, [_scan_row(scan) for scan in benchmark.scans]))
    if benchmark.own_code:
        head = ("written by ourselves", "ms", "beside", "ms", "and")
        beside = [(o.work, f"{o.ours:.2f}", o.library, f"{o.theirs:.2f}", o.why) for o in benchmark.own_code]
        blocks.append(markdown_table(head, beside))
    return "\n\n".join(blocks) + "\n"


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
    return "\n\n".join([markdown_table(head, measured), *notes])


def _scan_row(scan: ScanTime) -> tuple[str, ...]:
    name = f"{scan.films} films of {scan.side} x {scan.side}, {scan.workers} workers"
    cpu = f"{scan.cpu_seconds / scan.films:.3f}"
    return name, scan.backend, str(scan.scored), f"{scan.seconds_a_film:.3f}", cpu
