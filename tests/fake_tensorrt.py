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

Call = tuple[object, ...]


class FakeTensorRt(ModuleType):
    """A tensorrt that offers what a version offers; `calls` are those of its builder and configuration."""

    def __init__(self, version: str) -> None:
        super().__init__("tensorrt")
        major = int(version.split(".", maxsplit=1)[0])
        self.__version__ = version
        self.calls: list[Call] = []
        self.plan: bytes | None = fake_plan()
        self.layers: list[Any] = []  # of the network that was created last
        self.parses = True
        self.layer_dtypes = ["half", "float", "int"]  # of the parsed network's layers, in order
        self.float32, self.float16, self.int32 = "float", "half", "int"
        self.NetworkDefinitionCreationFlag = _enum(
            *(["EXPLICIT_BATCH"] if major < 11 else []), *(["STRONGLY_TYPED"] if major >= 10 else [])
        )
        self.BuilderFlag = _enum(
            *(["FP16", "INT8", "OBEY_PRECISION_CONSTRAINTS"] if major < 11 else []),
            "TF32",
            *(["VERSION_COMPATIBLE"] if version >= "8.6" or major >= 10 else []),
        )
        self.TacticSource = _enum("EDGE_MASK_CONVOLUTIONS", *(["CUDNN"] if major < 11 else []))
        self.MemoryPoolType = _enum("WORKSPACE")
        self.ProfilingVerbosity = _enum("LAYER_NAMES_ONLY", "DETAILED")
        self.LayerInformationFormat = _enum("ONELINE", "JSON")
        self.TensorIOMode = _enum("INPUT", "OUTPUT")
        self.LayerType = _enum("CONVOLUTION", "LRN", "CONSTANT", "SHAPE", "SHUFFLE", "IDENTITY")
        self.ILogger = _FakeLogger
        self.Logger = _FakeLogger
        self.uses_cudnn = major < 10
        if major >= 10:
            self.IProgressMonitor = type("IProgressMonitor", (), {})
            self.HardwareCompatibilityLevel = _enum("NONE", "AMPERE_PLUS")
        elif version < "8.6":
            self.PreviewFeature = _enum("DISABLE_EXTERNAL_TACTIC_SOURCES_FOR_CORE_0805")
        self.Builder = lambda log: _FakeBuilder(self, log)
        self.OnnxParser = lambda *_: _FakeParser(self)
        self.Runtime = lambda *_: _FakeRuntime(self)

    def called(self, name: str) -> list[Call]:
        """Arguments of every call of that name."""
        return [call[1:] for call in self.calls if call[0] == name]


class _FakeLogger:
    ERROR, INTERNAL_ERROR, INFO = 1, 0, 3

    def __init__(self, *_: object) -> None: ...


def fake_plan(weights: str = "Half", formats: str = "Row major linear FP16 format", batch: int = 32) -> bytes:
    """A serialized engine of one convolution; its inspector tells what is put in here."""
    tensor = [{"Name": "x", "Format/Datatype": formats}]
    layers = [
        {"Name": "Reformat 0", "LayerType": "Reformat", "Inputs": tensor},
        {"Name": "conv1", "LayerType": "CaskConvolution", "Inputs": tensor, "Weights": {"Type": weights}},
    ]
    return json.dumps({"Layers": layers, "largest_batch": batch}).encode()


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
        return SimpleNamespace(num_layers=len(layers), get_layer=layers.__getitem__)

    def create_builder_config(self) -> Any:
        return _FakeConfig(self._trt)

    def create_optimization_profile(self) -> Any:
        record = lambda *arguments: self._trt.calls.append(("set_shape", *arguments))  # noqa: E731
        return SimpleNamespace(set_shape=record)

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
    hardware_compatibility_level: Any = None

    def __init__(self, trt: FakeTensorRt) -> None:
        self._trt = trt

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "progress_monitor":
            raise AttributeError(name)
        return lambda *arguments: self._trt.calls.append((name, *arguments))

    def get_tactic_sources(self) -> int:
        return 3 if self._trt.uses_cudnn else 1

    def create_timing_cache(self, content: bytes) -> Any:
        return SimpleNamespace(content=content, serialize=lambda: b"timings")

    def set_timing_cache(self, cache: Any, ignore_mismatch: bool) -> bool:
        self._trt.calls.append(("set_timing_cache", cache.content, ignore_mismatch))
        return bool(cache.content != b"of another GPU")


class _FakeParser:
    def __init__(self, trt: FakeTensorRt) -> None:
        self._trt = trt
        self.num_errors = 0 if trt.parses else 1

    def parse(self, onnx: bytes) -> bool:
        self._trt.calls.append(("parse", onnx))
        return self._trt.parses

    def get_error(self, _index: int) -> str:
        return "In node 3:\n unsupported operator Frobnicate"


class _FakeRuntime:
    def __init__(self, trt: FakeTensorRt) -> None:
        self._trt = trt

    def deserialize_cuda_engine(self, plan: bytes) -> Any:
        return _FakeEngine(self._trt, plan) if plan.startswith(b"{") else None


class _FakeEngine:
    """image (B, 3, 2, 2) -> logits (B, 2), sums of channels 0 and 1; conv5 (B, 1, 2, 2), channel 2."""

    _shapes: ClassVar = {"image": (-1, 3, 2, 2), "logits": (-1, 2), "conv5": (-1, 1, 2, 2)}

    def __init__(self, trt: FakeTensorRt, plan: bytes) -> None:
        self._trt, self._told = trt, plan.decode()
        self.largest_batch: int = json.loads(plan)["largest_batch"]
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
        def tell(form: Any) -> str:
            assert inspector.execution_context is not None
            return self._told if form == self._trt.LayerInformationFormat.JSON else ""

        inspector = SimpleNamespace(execution_context=None, get_engine_information=tell)
        return inspector


class FakeContext:
    """Computes on the memory of the FakeMemory that was opened last."""

    def __init__(self, engine: _FakeEngine) -> None:
        self._engine = engine
        self._batch = 0
        self._addresses: dict[str, int] = {}

    def set_input_shape(self, _name: str, shape: tuple[int, ...]) -> bool:
        self._batch = shape[0]
        return self._batch <= self._engine.largest_batch

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
