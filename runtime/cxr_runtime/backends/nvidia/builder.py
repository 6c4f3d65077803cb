"""Compiling a typed ONNX file to a TensorRT engine: one code for 8.5 to 11, by what the library offers.

Needs nothing but tensorrt and numpy, and runs on Python 3.10.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cxr_runtime.backends.engine import INPUT
from cxr_runtime.errors import BackendError

GIB = 2**30
_LOG_LINES = 20_000  # the last ones, which tell why a build failed; a talkative builder writes far more

Say = Callable[[str], None]


@dataclass(frozen=True)
class BuildOptions:
    """What an engine is built for; every field is part of its key in the cache."""

    input_hw: tuple[int, int]
    precision: str = "fp16"  # what the ONNX file's types say: fp32, fp16 or int8
    smallest_batch: int = 1
    usual_batch: int = 32  # the one that kernels are chosen for
    largest_batch: int = 32
    workspace_bytes: int = 4 * GIB  # device memory that the builder and the kernels may use
    is_version_compatible: bool = False  # runs on later TensorRT versions; slower, and needs the lean runtime
    is_hardware_compatible: bool = (
        False  # runs on all GPUs from Ampere on; slower, fewer kernels to choose from
    )


@dataclass(frozen=True)
class BuiltEngine:
    """What a build leaves."""

    plan: bytes = field(repr=False)  # the serialized engine
    timing_cache: bytes = field(repr=False)  # makes the next build on this GPU faster
    seconds: float  # how long it took


def build_engine(
    onnx: bytes, options: BuildOptions, *, timing_cache: bytes = b"", say: Say, keep_log: Say
) -> BuiltEngine:
    """Compile a network for the GPU of this machine; takes seconds to minutes.

    Args:
        onnx: a typed model; its types decide the precision wherever TensorRT is strongly typed.
        options: what it is built for.
        timing_cache: of an earlier build with this TensorRT on this GPU, or nothing.
        say: told what goes on, a line at a time.
        keep_log: given all that the builder said, at the end, whether the build succeeded or not.

    Raises:
        BackendError: TensorRT cannot read or build the network; its reason in one line.
    """
    import tensorrt as trt

    log = new_log(trt)
    try:
        return _build(trt, log, onnx, options, timing_cache, say)
    finally:
        keep_log("\n".join(log.lines))


def _build(
    trt: Any, log: Any, onnx: bytes, options: BuildOptions, timing_cache: bytes, say: Say
) -> BuiltEngine:
    started = time.monotonic()
    builder = _new_builder(trt, log)
    network = builder.create_network(_network_flags(trt))
    _parse(trt, network, log, onnx)
    config = _configure(trt, builder, network, options)
    cache = _attach_timing_cache(config, timing_cache)
    _show_progress(trt, config, say)
    say(f"TensorRT {trt.__version__} builds an {options.precision.upper()} engine; this can take minutes")
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise BackendError(f"TensorRT could not build the network: {log.reason()}")
    seconds = time.monotonic() - started
    say(f"built in {seconds:.0f} s")
    return BuiltEngine(bytes(plan), bytes(cache.serialize()), seconds)


def new_log(trt: Any) -> Any:
    """A logger for TensorRT, which keeps what it says."""

    class Log(trt.ILogger):  # type: ignore[misc]  # tensorrt has no types
        """Keeps what TensorRT says."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.lines: deque[str] = deque(maxlen=_LOG_LINES)
            self.errors: list[str] = []

        def log(self, severity: Any, text: str) -> None:
            """Called by TensorRT."""
            self.lines.append(f"{str(severity).rsplit('.', 1)[-1]}: {text}")
            if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                self.errors.append(" ".join(text.split()))

        def reason(self) -> str:
            """Its first error, which the later ones follow from."""
            return self.errors[0][:300] if self.errors else "it gave no reason"

    return Log()


def _new_builder(trt: Any, log: Any) -> Any:
    try:
        return trt.Builder(log)
    except TypeError as error:  # all that 8.x says where there is no GPU
        raise BackendError(f"TensorRT {trt.__version__} finds no GPU to build for: {log.reason()}") from error


def _network_flags(trt: Any) -> int:
    """Explicit batch where it must be asked for, strong typing where it can be."""
    kinds = trt.NetworkDefinitionCreationFlag
    found = [getattr(kinds, name, None) for name in ("EXPLICIT_BATCH", "STRONGLY_TYPED")]
    return sum(1 << int(flag) for flag in found if flag is not None)


def _is_strongly_typed(trt: Any) -> bool:
    can_be_asked_for = hasattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED")
    return can_be_asked_for or not hasattr(trt.BuilderFlag, "FP16")


def _parse(trt: Any, network: Any, log: Any, onnx: bytes) -> None:
    parser = trt.OnnxParser(network, log)
    if not parser.parse(onnx):
        told = [str(parser.get_error(index)) for index in range(parser.num_errors)]
        reason = " ".join(told[0].split())[:300] if told else log.reason()
        raise BackendError(f"TensorRT {trt.__version__} cannot read the network: {reason}")


def _configure(trt: Any, builder: Any, network: Any, options: BuildOptions) -> Any:
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace_bytes)
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED  # the inspector tells precisions only then
    profile = builder.create_optimization_profile()
    batches = (options.smallest_batch, options.usual_batch, options.largest_batch)
    profile.set_shape(INPUT, *[(batch, 3, *options.input_hw) for batch in batches])
    config.add_optimization_profile(profile)
    _set_precisions(trt, config, network, options)
    _leave_out_foreign_kernels(trt, config)
    if options.is_version_compatible:
        config.set_flag(_offered(trt.BuilderFlag, "VERSION_COMPATIBLE", trt))
    if options.is_hardware_compatible:
        config.hardware_compatibility_level = _offered(
            getattr(trt, "HardwareCompatibilityLevel", None), "AMPERE_PLUS", trt
        )
    return config


def _attach_timing_cache(config: Any, earlier: bytes) -> Any:
    """The cache of an earlier build, or an empty one where that is damaged or of another machine."""
    for content in (earlier, b""):
        cache = config.create_timing_cache(content)
        if cache is not None and config.set_timing_cache(cache, False):
            return cache
    raise BackendError("TensorRT takes not even an empty timing cache; reinstall it")


def _set_precisions(trt: Any, config: Any, network: Any, options: BuildOptions) -> None:
    """Where the graph's types are not binding, allow the lower precision and pin every layer to its type."""
    flags = trt.BuilderFlag
    if hasattr(flags, "TF32"):
        config.clear_flag(flags.TF32)  # float32 means float32
    if _is_strongly_typed(trt) or options.precision == "fp32":
        return
    config.set_flag(flags.FP16)
    if options.precision == "int8":
        config.set_flag(flags.INT8)
        return
    config.set_flag(flags.OBEY_PRECISION_CONSTRAINTS)
    for index in range(network.num_layers):
        _pin(trt, network.get_layer(index))


def _pin(trt: Any, layer: Any) -> None:
    """Let a layer compute in the type that the ONNX file gives its result."""
    kinds = trt.LayerType
    moves_only = (kinds.CONSTANT, kinds.SHAPE, kinds.SHUFFLE, kinds.IDENTITY, getattr(kinds, "CAST", None))
    if layer.type in moves_only or layer.num_outputs == 0:
        return
    dtype = layer.get_output(0).dtype
    if dtype in (trt.float32, trt.float16):
        layer.precision = dtype
        layer.set_output_type(0, dtype)


def _leave_out_foreign_kernels(trt: Any, config: Any) -> None:
    """Do without cuDNN and cuBLAS where a TensorRT would still take kernels from them, as 10 and later do."""
    sources = trt.TacticSource
    cudnn = getattr(sources, "CUDNN", None)
    if cudnn is None or not config.get_tactic_sources() & 1 << int(cudnn):
        return
    config.set_tactic_sources(1 << int(sources.EDGE_MASK_CONVOLUTIONS))
    features = getattr(trt, "PreviewFeature", None)
    without = getattr(features, "DISABLE_EXTERNAL_TACTIC_SOURCES_FOR_CORE_0805", None)
    if without is not None:
        config.set_preview_feature(without, True)


def _show_progress(trt: Any, config: Any, say: Say) -> None:
    if not hasattr(trt, "IProgressMonitor"):
        say("this TensorRT does not tell how far a build has come")
        return

    class Progress(trt.IProgressMonitor):  # type: ignore[misc]  # tensorrt has no types
        """Tells each phase of the build that is not part of another one."""

        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            """Called by TensorRT."""
            if parent_phase is None:
                say(f"{phase_name}: {num_steps} steps")

        def step_complete(self, phase_name: str, step: int) -> bool:
            """Called by TensorRT; True lets it go on."""
            del phase_name, step
            return True

        def phase_finish(self, phase_name: str) -> None:
            """Called by TensorRT."""

    config.progress_monitor = Progress()


def _offered(kind: Any, name: str, trt: Any) -> Any:
    found = getattr(kind, name, None)
    if found is None:
        raise BackendError(f"TensorRT {trt.__version__} has no {name}; build without that option")
    return found
