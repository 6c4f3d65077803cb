"""All measurements in turn."""

from dataclasses import dataclass

from cxr_runtime.backends.choose import BACKENDS
from cxr_runtime.benchmark.engines import known_backends, measure_engines
from cxr_runtime.benchmark.report import Benchmark, describe_machine
from cxr_runtime.benchmark.stages import measure_stages
from cxr_runtime.benchmark.whole_scan import measure_scan
from cxr_runtime.errors import UsageError
from cxr_runtime.model.folder import DEFAULT_MODEL, open_model


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
    )
