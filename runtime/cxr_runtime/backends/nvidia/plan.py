"""A serialized TensorRT engine, loaded.

Needs nothing but tensorrt and numpy, and runs on Python 3.10.
"""

from dataclasses import dataclass
from typing import Any

from cxr_runtime.backends.failure import OutOfDeviceMemoryError
from cxr_runtime.errors import BackendError


@dataclass
class LoadedPlan:
    """An engine and what it needs; the runtime must outlive the engine, and this the context."""

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

    runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
    if hasattr(runtime, "engine_host_code_allowed"):
        runtime.engine_host_code_allowed = True  # a version-compatible engine brings TensorRT's lean runtime
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        raise BackendError(
            f"TensorRT {trt.__version__} cannot load the engine; "
            "build it anew with `cxr-triage build-engine --force`"
        )
    context = engine.create_execution_context()
    if context is None:
        raise OutOfDeviceMemoryError("the GPU has no room for the engine's activations; use smaller batches")
    return LoadedPlan(runtime, engine, context)


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
