"""Measuring this machine. Times are never judged, only that they are there."""

import json
import math
from pathlib import Path

import pytest

from cxr_runtime.benchmark.engines import EngineTime, median_seconds
from cxr_runtime.benchmark.measure import Benchmark, BenchmarkOptions, as_json, as_markdown, measure
from cxr_runtime.benchmark.own_code import OwnCode
from cxr_runtime.benchmark.scans import ScanTime, StageTime
from cxr_runtime.errors import UsageError
from model_folders import write_model_folder

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(write_model_folder(tmp_path / "brightness"))


def test_work_is_repeated_at_least_as_often_as_asked_after_a_first_warm_run() -> None:
    calls: list[None] = []
    assert median_seconds(lambda: calls.append(None), seconds=0, least=5) >= 0
    assert len(calls) == 6


def test_networks_are_measured_for_every_backend_and_batch_and_what_is_missing_is_named(model: str) -> None:
    options = BenchmarkOptions((model,), ("onnxruntime", "tensorrt"), (1, 3), films=0, seconds=0, threads=1)
    engines = measure(options).engines
    assert [(one.backend, one.batch_size) for one in engines] == [
        ("onnxruntime", 1), ("onnxruntime", 3), ("tensorrt", 1), ("tensorrt", 3)
    ]  # fmt: skip
    assert all(one.milliseconds and one.films_per_second for one in engines[:2])
    assert engines[0].provider == "onnxruntime-cpu"
    assert engines[2].milliseconds is not None or engines[2].reason


def test_stages_and_a_whole_scan_are_measured(model: str) -> None:
    options = BenchmarkOptions((model,), ("onnxruntime",), (2,), films=2, side=256, seconds=0, threads=1)
    measured = measure(options)
    stages = {stage.stage: stage.milliseconds for stage in measured.stages}
    assert {"read a PNG of 256 x 256", "gate and lung field", "heat map", "overlay as PNG"} <= set(stages)
    assert all(time > 0 for time in stages.values())
    (scan,) = measured.scans
    assert (scan.films, scan.side) == (2, 256)
    assert scan.backend
    assert scan.seconds > 0
    assert scan.scored == 2
    assert all(own.ours > 0 and own.theirs > 0 for own in measured.own_code)


def test_an_unknown_backend_is_wrong_usage(model: str) -> None:
    with pytest.raises(UsageError, match="backend 'gpu' is not known"):
        measure(BenchmarkOptions((model,), ("gpu",)))


def test_tables_hold_every_measurement_and_json_every_number() -> None:
    engines = (
        EngineTime("default", "fp32", "onnxruntime", "onnxruntime-cpu", 8, 40.0, 200.0, 0.0),
        EngineTime("default", "fp32", "cuda", "", 8, reason="no GPU"),
        EngineTime("default", "fp32", "cuda", "", 32, reason="no GPU"),
    )
    scan = ScanTime(10, 1024, 9, "onnxruntime-cpu", 2, 3.0, 5.0)
    own = OwnCode("a picture", 1.0, "a library", 3.0, "fewer bytes")
    benchmark = Benchmark("a machine", engines, (StageTime("overlay", 2.0),), (scan,), (own,))
    table = as_markdown(benchmark)
    assert "| default | fp32 | onnxruntime-cpu | 8 | 40.00 | 5.00 | 200 | 0.0e+00 |" in table
    assert table.count("Not measured: cuda (default): no GPU.") == 1
    assert "| 10 films of 1024 x 1024, 2 workers | onnxruntime-cpu | 9 | 0.300 | 0.500 |" in table
    assert "| a picture | 1.00 | a library | 3.00 | fewer bytes |" in table
    assert math.isclose(json.loads(as_json(benchmark))["engines"][0]["milliseconds"], 40.0)
