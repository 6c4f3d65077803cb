"""Stand-ins for TensorRT and for a GPU's memory: they record what is asked of them and compute with numpy.

They test the order of calls, never a result of a real GPU.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tensorrt_interface import MEMBERS, PARAMETERS, PROPERTY, is_offered, members

Call = tuple[object, ...]


class FakeTensorRt(ModuleType):
    """A tensorrt that offers what a version offers; `calls` are those of its builder and configuration."""

    def __init__(self, version: str) -> None:
        super().__init__("tensorrt")
        self.__version__ = version
        self.calls: list[Call] = []
        self.plan: bytes | None = fake_plan()
        self.layers: list[Any] = []  # of the network that was created last
        self.parses = True
        self.layer_dtypes = ["half", "float", "int"]  # of the parsed network's layers, in order
        self.float32, self.float16, self.int32 = "float", "half", "int"
        for kind in MEMBERS:
            names = members(kind, version)
            if names:
                setattr(self, kind, _enum(*names))
        self.ILogger = _FakeLogger
        self.Logger = _FakeLogger
        self.uses_cudnn = version.startswith("8.")
        if is_offered("IProgressMonitor.phase_start", version):
            self.IProgressMonitor = type("IProgressMonitor", (), {})
        self.Builder = lambda log: _FakeBuilder(self, log)
        self.OnnxParser = lambda *_: _FakeParser(self)
        self.Runtime = lambda log: _FakeRuntime(self, log)
        self.refusal = "magic tag does not match"  # what a runtime says of an engine that it does not load

    def called(self, name: str) -> list[Call]:
        """Arguments of every call of that name."""
        return [call[1:] for call in self.calls if call[0] == name]


class _FakeLogger:
    ERROR, INTERNAL_ERROR, INFO = 1, 0, 3

    def __init__(self, *_: object) -> None: ...


def fake_plan(
    weights: str = "Half",
    formats: str = "Row major linear FP16 format",
    batch: int = 32,
    *,
    type_key: str = "Format/Datatype",
    brings_code: bool = False,
) -> bytes:
    """A serialized engine of one convolution; its inspector tells what is put in here.

    Args:
        weights: type of the weights.
        formats: type of the input.
        batch: the most films.
        type_key: what the version calls a tensor's type.
        brings_code: as a version-compatible engine does.
    """
    tensor = [{"Name": "x", type_key: formats}]
    layers = [
        {"Name": "Reformat 0", "LayerType": "Reformat", "Inputs": tensor},
        {"Name": "conv1", "LayerType": "CaskConvolution", "Inputs": tensor, "Weights": {"Type": weights}},
    ]
    return json.dumps({"Layers": layers, "largest_batch": batch, "brings_code": brings_code}).encode()


def _enum(*names: str) -> Any:
    return IntEnum("Fake", {name: index for index, name in enumerate(names)})


class _FakeBuilder:
    def __init__(self, trt: FakeTensorRt, log: Any) -> None:
        self._trt, self._log = trt, log

    def create_network(self, flags: int) -> Any:
        self._trt.calls.append(("create_network", flags))
        kinds = [self._trt.LayerType.CONVOLUTION, self._trt.LayerType.LRN, self._trt.LayerType.CONSTANT]
        layers = [_FakeLayer(*pair) for pair in zip(kinds, self._trt.layer_dtypes, strict=True)]
        self._trt.layers = layers
        return _FakeNetwork(layers)

    def create_builder_config(self) -> Any:
        return _FakeConfig(self._trt)

    def create_optimization_profile(self) -> Any:
        return _FakeProfile(self._trt)

    def build_serialized_network(self, _network: Any, config: Any) -> bytes | None:
        self._trt.calls.append(("build", config.profiling_verbosity))
        if self._trt.plan is None:
            self._log.log(_FakeLogger.ERROR, "no kernel\n fits")
        monitor = getattr(config, "progress_monitor", None)
        if monitor is not None:
            monitor.phase_start("Building Engine", None, 3)
            monitor.phase_start("Timing Graph Nodes", "Building Engine", 7)
            assert monitor.step_complete("Building Engine", 0)
            monitor.phase_finish("Building Engine")
        return self._trt.plan


class _FakeNetwork:
    def __init__(self, layers: list[Any]) -> None:
        self.num_layers, self._layers = len(layers), layers

    def get_layer(self, index: int) -> Any:
        return self._layers[index]


class _FakeProfile:
    def __init__(self, trt: FakeTensorRt) -> None:
        self._trt = trt

    def set_shape(self, *arguments: Any) -> None:
        name, smallest, usual, largest = arguments
        self._trt.calls.append(("set_shape", name, smallest, usual, largest))


class _FakeTimings:
    def __init__(self, content: bytes) -> None:
        self.kept = content

    def serialize(self) -> bytes:
        return b"timings"


class _FakeLayer:
    num_outputs = 1

    def __init__(self, kind: object, dtype: str) -> None:
        self.type, self._dtype = kind, dtype
        self.precision = self.output_type = ""

    def get_output(self, _index: int) -> Any:
        return SimpleNamespace(dtype=self._dtype)

    def set_output_type(self, _index: int, dtype: str) -> None:
        self.output_type = dtype


class _FakeConfig:
    profiling_verbosity: Any = None

    def __init__(self, trt: FakeTensorRt) -> None:
        self._trt = trt

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or PARAMETERS[f"IBuilderConfig.{name}"] == PROPERTY:
            raise AttributeError(name)
        stated = PARAMETERS[f"IBuilderConfig.{name}"]
        assert is_offered(f"IBuilderConfig.{name}", self._trt.__version__)

        def record(*arguments: Any) -> None:
            assert len(arguments) == stated
            self._trt.calls.append((name, *arguments))

        return record

    def get_tactic_sources(self) -> int:
        return 3 if self._trt.uses_cudnn else 1

    def create_timing_cache(self, content: bytes) -> Any:
        return _FakeTimings(content)

    def set_timing_cache(self, cache: Any, ignore_mismatch: bool) -> bool:
        self._trt.calls.append(("set_timing_cache", cache.kept, ignore_mismatch))
        return bool(cache.kept != b"of another GPU")


class _FakeParser:
    def __init__(self, trt: FakeTensorRt) -> None:
        self._trt = trt
        self.num_errors = 0 if trt.parses else 1

    def parse(self, onnx: bytes, path: str | None = None) -> bool:
        assert path is None
        self._trt.calls.append(("parse", onnx))
        return self._trt.parses

    def get_error(self, _index: int) -> str:
        return "In node 3:\n unsupported operator Frobnicate"


class _FakeRuntime:
    def __init__(self, trt: FakeTensorRt, log: Any) -> None:
        self._trt, self._log = trt, log
        if is_offered("Runtime.engine_host_code_allowed", trt.__version__):
            self.engine_host_code_allowed = False

    def deserialize_cuda_engine(self, plan: bytes) -> Any:
        told = json.loads(plan) if plan.startswith(b"{") else None
        if told is None or (told["brings_code"] and not self.engine_host_code_allowed):
            self._log.log(_FakeLogger.ERROR, self._trt.refusal)
            return None
        return _FakeEngine(self._trt, plan)


class _FakeEngine:
    """image (B, 3, 2, 2) -> logits (B, 2), sums of channels 0 and 1; conv5 (B, 1, 2, 2), channel 2."""

    _shapes: ClassVar = {"image": (-1, 3, 2, 2), "logits": (-1, 2), "conv5": (-1, 1, 2, 2)}

    def __init__(self, trt: FakeTensorRt, plan: bytes) -> None:
        self._trt, self._told = trt, plan.decode()
        self._largest_batch: int = json.loads(plan)["largest_batch"]
        self.num_io_tensors = len(self._shapes)

    def get_tensor_name(self, index: int) -> str:
        return list(self._shapes)[index]

    def get_tensor_mode(self, name: str) -> Any:
        modes = self._trt.TensorIOMode
        return modes.INPUT if name == "image" else modes.OUTPUT

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self._shapes[name]

    def create_execution_context(self) -> Any:
        return FakeContext(self)

    def create_engine_inspector(self) -> Any:
        return _FakeInspector(self._told, self._trt.LayerInformationFormat.JSON)


class _FakeInspector:
    execution_context: Any = None

    def __init__(self, told: str, json_form: Any) -> None:
        self._told, self._json_form = told, json_form

    def get_engine_information(self, form: Any) -> str:
        assert self.execution_context is not None
        return self._told if form == self._json_form else ""


class FakeContext:
    """Computes on the memory of the FakeMemory that was opened last."""

    def __init__(self, engine: _FakeEngine) -> None:
        self._engine = engine
        self._batch = 0
        self._addresses: dict[str, int] = {}

    def set_input_shape(self, _name: str, shape: tuple[int, ...]) -> bool:
        self._batch = shape[0]
        return self._batch <= self._engine._largest_batch

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return (self._batch, *self._engine.get_tensor_shape(name)[1:])

    def set_tensor_address(self, name: str, address: int) -> None:
        self._addresses[name] = address

    def execute_async_v3(self, stream: int) -> bool:
        memory, addresses = FakeMemory.opened[-1], dict(self._addresses)
        memory.enqueue(stream, "compute", lambda: self._compute(memory, addresses))
        return True

    def _compute(self, memory: "FakeMemory", addresses: dict[str, int]) -> None:
        image = memory.device[addresses["image"]].reshape(self.get_tensor_shape("image"))
        memory.device[addresses["logits"]][:] = image[:, :2].sum(axis=(2, 3)).ravel()
        memory.device[addresses["conv5"]][:] = image[:, 2].ravel()


STANDS_FOR = {  # the class of TensorRT that each stand-in has the interface of
    _FakeBuilder: "Builder",
    _FakeNetwork: "INetworkDefinition",
    _FakeLayer: "ILayer",
    _FakeConfig: "IBuilderConfig",
    _FakeProfile: "IOptimizationProfile",
    _FakeTimings: "ITimingCache",
    _FakeParser: "OnnxParser",
    _FakeRuntime: "Runtime",
    _FakeEngine: "ICudaEngine",
    _FakeInspector: "EngineInspector",
    FakeContext: "IExecutionContext",
}


class FakeMemory:
    """A GPU whose streams run what they were given only when somebody waits for them."""

    library = "fake"
    opened: ClassVar[list["FakeMemory"]] = []  # emptied by the fixture

    def __init__(self) -> None:
        self.device: dict[int, NDArray[np.float32]] = {}
        self.queues: list[list[tuple[str, Any]]] = []
        self.done: list[str] = []
        self.recording: list[Any] | None = None
        self.allocations, self.is_closed = 0, False
        FakeMemory.opened.append(self)

    @contextmanager
    def current(self) -> Iterator[None]:
        yield

    def pinned(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        self.allocations += 1
        return np.full(shape, np.nan, np.float32)

    def allocate(self, size: int) -> int:
        self.allocations += 1
        address = 1000 + len(self.device)
        self.device[address] = np.full(size // 4, np.nan, np.float32)
        return address

    def stream(self) -> int:
        self.queues.append([])
        return len(self.queues) - 1

    def stream_handle(self, stream: int) -> int:
        return stream

    def event(self) -> dict[str, int]:
        return {"recorded": 0, "happened": 0}

    def record(self, event: dict[str, int], stream: int) -> None:
        event["recorded"] += 1
        number = event["recorded"]
        self.enqueue(stream, "record", lambda: event.update(happened=number))

    def wait(self, stream: int, event: dict[str, int]) -> None:
        number = event["recorded"]
        self.enqueue(stream, "wait", lambda: None if event["happened"] >= number else "blocked")

    def copy_in(self, address: int, source: NDArray[np.float32], stream: int) -> None:
        fill = self.device[address].__setitem__
        self.enqueue(stream, "copy in", lambda: fill(slice(None), source.ravel()))

    def copy_out(self, target: NDArray[np.float32], address: int, stream: int) -> None:
        self.enqueue(
            stream, "copy out", lambda: target.__setitem__(..., self.device[address].reshape(target.shape))
        )

    def enqueue(self, stream: int, name: str, work: Any) -> None:
        if self.recording is not None:
            self.recording.append((name, work))
        else:
            self.queues[stream].append((name, work))

    def synchronise(self, stream: int) -> None:
        """Run every stream as far as its waits allow, until this one is empty."""
        while self.queues[stream]:
            moved = [self._step(queue) for queue in self.queues]
            assert any(moved), "every stream waits for another one"

    def close(self) -> None:
        self.is_closed = True

    def _step(self, queue: list[tuple[str, Any]]) -> bool:
        if not queue or queue[0][1]() == "blocked":
            return False
        self.done.append(queue.pop(0)[0])
        return True


class FakeGraph:
    """A recording of what was put on a stream."""

    launches = 0

    def __init__(self, stream: int, work: Any) -> None:
        self._memory, self._stream = FakeMemory.opened[-1], stream
        self._memory.recording = []
        work()
        self._recorded, self._memory.recording = self._memory.recording, None

    def launch(self) -> None:
        type(self).launches += 1
        for name, work in self._recorded:
            self._memory.enqueue(self._stream, f"graph {name}", work)

    def close(self) -> None: ...
