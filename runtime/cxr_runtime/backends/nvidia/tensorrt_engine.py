"""The native TensorRT backend: a model's engine, from the cache or built, behind the engine protocol."""

import logging
import platform
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.engine import CONV5, LOGITS, Engine, Outputs
from cxr_runtime.backends.graph.half import count_float32_convolutions, half_graph, largest_magnitudes
from cxr_runtime.backends.graph.int8 import symmetric_int8
from cxr_runtime.backends.nvidia.builder import BuildOptions, Say, build_engine
from cxr_runtime.backends.nvidia.driver import Gpu, find_gpus
from cxr_runtime.backends.nvidia.engine_cache import EngineCache, EngineKey
from cxr_runtime.backends.nvidia.memory import open_memory
from cxr_runtime.backends.nvidia.plan import plan_layers, refuse_wrong_precision
from cxr_runtime.backends.nvidia.runner import TensorRtRunner
from cxr_runtime.backends.self_test import phantom_batch
from cxr_runtime.errors import BackendError
from cxr_runtime.model.folder import Model

DEVICE = 0  # the first GPU of CUDA_VISIBLE_DEVICES; several GPUs: one process each
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compiled:
    """An engine that is ready to load, and known to compute in its precision."""

    plan: bytes = field(repr=False)
    precision: str
    largest_batch: int  # films that it can compute at once
    was_built: bool  # False when it came from the cache
    smallest_batch: int = 1  # films that it must be given at once


class TensorRtEngine:
    """A model on an NVIDIA GPU."""

    batch_step = None

    def __init__(self, compiled: Compiled, batch_size: int) -> None:
        """Load an engine.

        Args:
            compiled: an engine of this machine.
            batch_size: films in a usual batch; half of it is computed while the other half is copied.

        Raises:
            BackendError: it cannot be loaded, or the device has no room for it.
        """
        self.backend = f"tensorrt-{compiled.precision}"
        batch = min(max((batch_size + 1) // 2, compiled.smallest_batch), compiled.largest_batch)
        memory = open_memory(DEVICE)
        try:
            self._runner = TensorRtRunner(compiled.plan, memory, batch)
        except BackendError:
            memory.close()  # a smaller batch may be tried next
            raise

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        """Infer one batch of any size: (B, 3, H, W) float32."""
        outputs = self._runner.run(batch)
        return Outputs(outputs[LOGITS], outputs[CONV5])

    def close(self) -> None:
        """Give back the device's memory."""
        self._runner.close()


def engine_of(model: Model, batch_size: int, threads: int | None) -> Engine:
    """Open a model in FP16, or in its own lower precision."""
    del threads
    return TensorRtEngine(compile_model(model), batch_size)


def open_float32(model: Model, batch_size: int, threads: int | None) -> Engine:
    """Open a float32 model as it is."""
    del threads
    return TensorRtEngine(compile_model(model, precision="fp32"), batch_size)


def compile_model(
    model: Model,
    *,
    precision: str = "fp16",
    options: BuildOptions | None = None,
    force: bool = False,
    say: Say = _LOG.warning,
) -> Compiled:
    """The engine of a model for this machine's GPU: from the cache, or built and kept there.

    Args:
        model: an opened model folder.
        precision: fp16 or fp32; a model that is FP16 or INT8 already stays what it is.
        options: what to build for; if None, an engine built for any options will do, or else the usual
            ones are taken. Precision and input size are set here.
        force: build even where the cache has it.
        say: told what goes on, a line at a time.

    Raises:
        BackendError: no TensorRT or GPU, the build failed, or the engine came out in another precision.
    """
    onnx, precision = _typed(model, precision)
    chosen = _for_model(options, model, precision)
    key, cache = _key(model, onnx, chosen), EngineCache()
    kept = None if force else _kept(cache, key, any_options=options is None)
    if kept is not None:
        return kept
    say(f"the builder's log: {cache.log_path(key)}")
    keep_log = partial(cache.keep_log, key)
    built = build_engine(onnx, chosen, timing_cache=cache.find_timings(key), say=say, keep_log=keep_log)
    layers = plan_layers(built.plan, chosen.usual_batch)
    refuse_wrong_precision(layers, precision, count_float32_convolutions(onnx))
    say(f"kept as {cache.keep(key, built.plan)}")
    cache.keep_timings(key, built.timing_cache)
    return Compiled(
        built.plan, precision, chosen.largest_batch, was_built=True, smallest_batch=chosen.smallest_batch
    )


def _kept(cache: EngineCache, key: EngineKey, *, any_options: bool) -> Compiled | None:
    """The cache's engine; where no options were asked for, one that was built for others will do."""
    plan = cache.find(key)
    found = None if plan is None else (key, plan)
    if found is None and any_options:
        found = cache.find_similar(key)
    if found is None:
        return None
    options = found[0].options
    smallest, largest = options["smallest_batch"], options["largest_batch"]
    return Compiled(found[1], options["precision"], largest, was_built=False, smallest_batch=smallest)


def _typed(model: Model, precision: str) -> tuple[bytes, str]:
    """The network whose types are to be compiled, and their name."""
    if model.manifest.precision == "int8":
        return symmetric_int8(model.onnx), "int8"
    if model.manifest.precision == "fp16":
        return model.onnx, "fp16"
    if precision == "fp32":
        return model.onnx, "fp32"
    batch = phantom_batch(model.manifest.preprocessing)
    return half_graph(model.onnx, largest_magnitudes(model.onnx, batch)), "fp16"


def _for_model(options: BuildOptions | None, model: Model, precision: str) -> BuildOptions:
    stated = asdict(options) if options is not None else {}
    stated |= {"input_hw": model.manifest.preprocessing.input_hw, "precision": precision}
    return BuildOptions(**stated)


def _key(model: Model, onnx: bytes, options: BuildOptions) -> EngineKey:
    gpu = _gpu()
    return EngineKey(
        model_sha256=model.manifest.model_sha256,
        network_sha256=sha256(onnx).hexdigest(),
        compiler=f"tensorrt {_tensorrt_version()}",
        gpu=gpu.name,
        compute_capability=gpu.compute_capability,
        driver=gpu.driver,
        cuda=gpu.cuda,
        system=f"{platform.system()} {platform.machine()}",
        options=asdict(options) | {"input_hw": list(options.input_hw)},
    )


def _tensorrt_version() -> str:
    import tensorrt

    return str(tensorrt.__version__)


def _gpu() -> Gpu:
    gpus = find_gpus()
    if not gpus:
        raise BackendError("no NVIDIA GPU is visible; check CUDA_VISIBLE_DEVICES and the driver")
    return gpus[DEVICE]
