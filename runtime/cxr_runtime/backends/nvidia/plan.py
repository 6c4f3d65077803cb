"""A serialized TensorRT engine, loaded, and read back layer by layer.

A builder may compute in another precision than asked for, in silence; here that is found out.

Needs nothing but tensorrt and numpy, and runs on Python 3.10.
"""

import json
from dataclasses import dataclass
from typing import Any

from cxr_runtime.backends.engine import OutOfDeviceMemoryError, failure
from cxr_runtime.backends.nvidia.builder import new_log
from cxr_runtime.errors import BackendError


@dataclass
class LoadedPlan:
    """An engine and what it needs; each must outlive the next one."""

    log: Any  # what TensorRT says of it
    runtime: Any  # IRuntime
    engine: Any  # ICudaEngine
    context: Any  # IExecutionContext


def load_plan(plan: bytes) -> LoadedPlan:
    """Load an engine that was built on this machine; the calling thread works with its GPU.

    Raises:
        BackendError: TensorRT refuses it.
        OutOfDeviceMemoryError: the GPU has no room for it.
    """
    import tensorrt as trt

    log = new_log(trt)
    runtime = trt.Runtime(log)
    if hasattr(runtime, "engine_host_code_allowed"):
        runtime.engine_host_code_allowed = True  # a version-compatible engine brings TensorRT's lean runtime
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        raise failure(
            log.reason(),
            f"TensorRT {trt.__version__} cannot load the engine; "
            "build it anew with `cxr-triage build-engine --force`",
        )
    context = engine.create_execution_context()
    if context is None:
        raise OutOfDeviceMemoryError("the GPU has no room for the engine's activations; use smaller batches")
    return LoadedPlan(log, runtime, engine, context)


def set_batch(loaded: LoadedPlan, batch: int) -> tuple[dict[str, tuple[int, ...]], list[str]]:
    """Fix the number of films of a batch.

    Returns:
        Every tensor's shape by its name, and the names of the inputs.

    Raises:
        BackendError: the engine was not built for so many films.
    """
    import tensorrt as trt

    engine, context = loaded.engine, loaded.context
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    inputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
    for name in inputs:
        shape = (batch, *tuple(engine.get_tensor_shape(name))[1:])
        if not context.set_input_shape(name, shape):
            raise BackendError(f"the engine does not take {name} of shape {shape}; build it for this batch")
    return {name: tuple(context.get_tensor_shape(name)) for name in names}, inputs


_NAMES = {  # what the versions of TensorRT call types, the first that fits
    "bf16": "bf16", "bfloat": "bf16", "half": "fp16", "fp16": "fp16", "int8": "int8", "fp32": "fp32",
    "float": "fp32",
}  # fmt: skip
_TYPE_KEYS = ("DataType", "Datatype", "Format", "Format/Datatype")  # of a tensor; TensorRT 11 split the last
_MOVES_ONLY = ("reformat", "noop", "constant", "shuffle", "shape", "cast", "identity")


@dataclass(frozen=True)
class EngineLayer:
    """One layer of an engine."""

    name: str
    kind: str  # TensorRT's own word for it
    precision: str  # fp32, fp16, bf16, int8, or "" where the inspector does not tell
    is_convolution: bool


def plan_layers(plan: bytes, batch: int) -> list[EngineLayer]:
    """Every layer of an engine that computes.

    Args:
        plan: a serialized engine, built with detailed profiling verbosity.
        batch: a number of films within its profile: types are told for one shape only.

    Raises:
        BackendError: the engine cannot be loaded, or does not tell its layers.
    """
    import tensorrt as trt

    loaded = load_plan(plan)
    set_batch(loaded, batch)
    inspector = loaded.engine.create_engine_inspector()
    inspector.execution_context = loaded.context
    told = inspector.get_engine_information(trt.LayerInformationFormat.JSON)
    try:
        layers = json.loads(told)["Layers"]
        return [_read(layer) for layer in layers if not _moves_only(layer)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackendError(
            f"the engine does not tell its layers' precisions ({error!r}); it was not built by this program"
        ) from error


def refuse_wrong_precision(layers: list[EngineLayer], precision: str, float32_convolutions: int) -> None:
    """Raise BackendError unless the engine computes in the precision that was asked for.

    Args:
        layers: as read back.
        precision: asked for: fp32, fp16 or int8.
        float32_convolutions: convolutions that the ONNX file itself keeps in float32.
    """
    convolutions = [layer for layer in layers if layer.is_convolution]
    judged = convolutions or layers  # a compiler that melts everything together names no convolution
    asked = [layer for layer in judged if layer.precision == precision]
    others = [layer for layer in judged if layer.precision not in (precision, "")]
    allowed = {"fp16": float32_convolutions if convolutions else len(judged) // 2, "int8": len(judged)}
    if asked and len(others) <= allowed.get(precision, 0):
        return
    found = sorted({layer.precision or "unknown" for layer in judged}) or ["no layers"]
    example = f", e.g. {others[0].name[:80]!r}" if others else ""
    raise BackendError(
        f"the engine was to be {precision}, but TensorRT built {len(asked)} of {len(judged)} layers so "
        f"(found: {', '.join(found)}{example}); it is not used"
    )


def _moves_only(layer: dict[str, Any]) -> bool:
    return layer["LayerType"].lower() in _MOVES_ONLY


def _read(layer: dict[str, Any]) -> EngineLayer:
    kind, tactic = layer["LayerType"], str(layer.get("TacticName", ""))
    words = (kind, str(layer.get("ParameterType", "")), tactic)
    is_convolution = any("conv" in word.lower() or "fprop" in word.lower() for word in words)
    return EngineLayer(str(layer["Name"]), kind, _precision(layer), is_convolution)


def _precision(layer: dict[str, Any]) -> str:
    """Of its weights, and where it has none of what it is given."""
    weights = layer.get("Weights")
    told = [weights["Type"]] if isinstance(weights, dict) and "Type" in weights else []
    told += [str(tensor[key]) for tensor in layer.get("Inputs", ()) for key in _TYPE_KEYS if key in tensor]
    for text in told:
        for word, precision in _NAMES.items():
            if word in text.lower():
                return precision
    return ""
