"""Compiling an engine with what each version of TensorRT offers."""

from collections.abc import Callable
from contextlib import nullcontext

import pytest

from cxr_runtime.backends.nvidia import builder
from cxr_runtime.backends.nvidia.builder import BuildOptions, build_engine
from cxr_runtime.errors import BackendError
from fake_tensorrt import FakeTensorRt, fake_plan

UseTensorRt = Callable[[str], FakeTensorRt]
OPTIONS = BuildOptions((224, 224))


def _silent(line: str) -> None:
    assert "\n" not in line


def _drop(log: str) -> None: ...


@pytest.mark.parametrize(
    ("version", "flags"), [("8.5.3.1", ["EXPLICIT_BATCH"]), ("8.6.0", ["EXPLICIT_BATCH"]),
                           ("10.16.1", ["EXPLICIT_BATCH", "STRONGLY_TYPED"]), ("11.4.0", ["STRONGLY_TYPED"])]
)  # fmt: skip
def test_batch_is_explicit_and_typing_strong_wherever_that_must_be_said(
    use_tensorrt: UseTensorRt, version: str, flags: list[str]
) -> None:
    trt = use_tensorrt(version)
    build_engine(b"onnx", OPTIONS, say=_silent, keep_log=_drop)
    expected = sum(1 << int(trt.NetworkDefinitionCreationFlag[name]) for name in flags)
    assert trt.called("create_network") == [(expected,)]
    assert trt.called("parse") == [(b"onnx",)]


@pytest.mark.parametrize("version", ["8.5.3.1", "8.6.0"])
def test_an_old_tensorrt_is_told_to_keep_each_layer_in_the_type_of_the_file(
    use_tensorrt: UseTensorRt, version: str
) -> None:
    trt = use_tensorrt(version)
    build_engine(b"onnx", OPTIONS, say=_silent, keep_log=_drop)
    assert trt.called("set_flag") == [(trt.BuilderFlag.FP16,), (trt.BuilderFlag.OBEY_PRECISION_CONSTRAINTS,)]
    assert [layer.precision for layer in trt.layers] == ["half", "float", ""]
    assert [layer.output_type for layer in trt.layers] == ["half", "float", ""]


@pytest.mark.parametrize("version", ["10.16.1", "11.4.0"])
def test_a_strongly_typed_tensorrt_is_given_no_precision_flags(
    use_tensorrt: UseTensorRt, version: str
) -> None:
    trt = use_tensorrt(version)
    build_engine(b"onnx", OPTIONS, say=_silent, keep_log=_drop)
    assert trt.called("set_flag") == []
    assert {layer.precision for layer in trt.layers} == {""}


@pytest.mark.parametrize("version", ["8.6.0", "11.4.0"])
def test_float32_is_not_rounded_to_tf32(use_tensorrt: UseTensorRt, version: str) -> None:
    trt = use_tensorrt(version)
    build_engine(b"onnx", BuildOptions((224, 224), precision="fp32"), say=_silent, keep_log=_drop)
    assert trt.called("clear_flag") == [(trt.BuilderFlag.TF32,)]
    assert trt.called("set_flag") == []


def test_int8_of_the_file_is_allowed_on_an_old_tensorrt(use_tensorrt: UseTensorRt) -> None:
    trt = use_tensorrt("8.6.0")
    build_engine(b"onnx", BuildOptions((224, 224), precision="int8"), say=_silent, keep_log=_drop)
    assert trt.called("set_flag") == [(trt.BuilderFlag.FP16,), (trt.BuilderFlag.INT8,)]


def test_profile_memory_and_verbosity_are_as_asked(use_tensorrt: UseTensorRt) -> None:
    trt = use_tensorrt("10.16.1")
    options = BuildOptions((227, 227), smallest_batch=2, usual_batch=4, largest_batch=16, workspace_bytes=99)
    build_engine(b"onnx", options, say=_silent, keep_log=_drop)
    shapes = [(2, 3, 227, 227), (4, 3, 227, 227), (16, 3, 227, 227)]
    assert trt.called("set_shape") == [("image", *shapes)]
    assert trt.called("set_memory_pool_limit") == [(trt.MemoryPoolType.WORKSPACE, 99)]
    assert trt.called("build") == [(trt.ProfilingVerbosity.DETAILED,)]


@pytest.mark.parametrize(
    ("version", "is_left_out"), [("8.5.3.1", True), ("8.6.0", True), ("10.16.1", False), ("11.4.0", False)]
)
def test_cudnn_is_done_without_where_it_would_be_used(
    use_tensorrt: UseTensorRt, version: str, is_left_out: bool
) -> None:
    trt = use_tensorrt(version)
    build_engine(b"onnx", OPTIONS, say=_silent, keep_log=_drop)
    assert (trt.called("set_tactic_sources") == [(1,)]) is is_left_out
    assert bool(trt.called("set_preview_feature")) is is_left_out


def test_timings_of_another_gpu_are_dropped(use_tensorrt: UseTensorRt) -> None:
    trt = use_tensorrt("10.16.1")
    built = build_engine(b"onnx", OPTIONS, timing_cache=b"of another GPU", say=_silent, keep_log=_drop)
    assert trt.called("set_timing_cache") == [(b"of another GPU", False), (b"", False)]
    assert built.timing_cache == b"timings"


def test_progress_is_told_where_tensorrt_tells_it(use_tensorrt: UseTensorRt) -> None:
    said: list[str] = []
    use_tensorrt("10.16.1")
    build_engine(b"onnx", OPTIONS, say=said.append, keep_log=_drop)
    assert "Building Engine: 3 steps" in said
    assert not any("Timing Graph Nodes" in line for line in said)
    said.clear()
    use_tensorrt("8.6.0")
    build_engine(b"onnx", OPTIONS, say=said.append, keep_log=_drop)
    assert "this TensorRT does not tell how far a build has come" in said


def test_a_network_that_cannot_be_read_is_one_line_with_tensorrts_reason(use_tensorrt: UseTensorRt) -> None:
    use_tensorrt("8.6.0").parses = False
    with pytest.raises(BackendError, match=r"8\.6\.0 cannot read the network: In node 3: unsupported"):
        build_engine(b"onnx", OPTIONS, say=_silent, keep_log=_drop)


def test_a_build_that_fails_is_one_line_with_tensorrts_reason(use_tensorrt: UseTensorRt) -> None:
    use_tensorrt("10.16.1").plan = None
    with pytest.raises(BackendError, match="TensorRT could not build the network: no kernel fits"):
        build_engine(b"onnx", OPTIONS, say=_silent, keep_log=_drop)


@pytest.mark.parametrize("plan", [fake_plan(), None])
def test_what_the_builder_says_is_kept_whether_it_succeeds_or_fails(
    use_tensorrt: UseTensorRt, plan: bytes | None
) -> None:
    logs: list[str] = []
    use_tensorrt("10.16.1").plan = plan
    with nullcontext() if plan else pytest.raises(BackendError):
        build_engine(b"onnx", OPTIONS, say=_silent, keep_log=logs.append)
    assert logs == ["" if plan else "1: no kernel\n fits"]


def test_of_a_builder_that_says_too_much_the_end_is_kept(
    use_tensorrt: UseTensorRt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder, "_LOG_LINES", 2)
    log = builder.new_log(use_tensorrt("10.16.1"))
    for line in "abc":
        log.log("Severity.INFO", line)
    assert list(log.lines) == ["INFO: b", "INFO: c"]


def test_compatible_engines_are_an_option_that_must_be_offered(use_tensorrt: UseTensorRt) -> None:
    options = BuildOptions((224, 224), is_version_compatible=True, is_hardware_compatible=True)
    trt = use_tensorrt("10.16.1")
    build_engine(b"onnx", options, say=_silent, keep_log=_drop)
    assert trt.called("set_flag") == [(trt.BuilderFlag.VERSION_COMPATIBLE,)]
    use_tensorrt("8.5.3.1")
    with pytest.raises(BackendError, match=r"TensorRT 8\.5\.3\.1 has no VERSION_COMPATIBLE"):
        build_engine(b"onnx", options, say=_silent, keep_log=_drop)
