"""The check that is carried to a GPU machine with Python 3.10, on stand-ins for its TensorRT and GPU."""

import json
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cxr_runtime.backends.nvidia.driver import Gpu
from fake_tensorrt import FakeMemory, FakeTensorRt, fake_plan

UseTensorRt = Callable[[str], FakeTensorRt]
FACTS = {
    "model": "drawn",
    "float32_convolutions": 0,
    "threshold": 0.5,
    "review_low": None,
    "review_high": None,
}


@pytest.fixture
def carried(monkeypatch: pytest.MonkeyPatch, memory: FakeMemory) -> Any:
    """tests/gpu/carried.py on a machine with one drawn GPU."""
    spec = spec_from_file_location("carried", Path(__file__).parents[3] / "gpu" / "carried.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    gpu = Gpu(0, "NVIDIA T4", "7.5", 16 * 2**30, "580.82", "13.0")
    monkeypatch.setattr("cxr_runtime.backends.nvidia.driver.find_gpus", lambda: [gpu])
    monkeypatch.setattr("cxr_runtime.backends.nvidia.memory.open_memory", FakeMemory)
    monkeypatch.setattr(module, "SECONDS", 0.0)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What `prepare` would have written of the network that the stand-in computes."""
    rng = np.random.default_rng(0)
    films = rng.normal(size=(8, 3, 2, 2)).astype(np.float32)
    np.savez(tmp_path / "films.npz", films=films, logits=films[:, :2].sum(axis=(2, 3)), conv5=films[:, 2:])
    inputs = rng.integers(0, 256, (5, 2, 2)).astype(np.uint8)
    levels = np.linspace(-1, 1, 256, dtype=np.float32) * np.array([[1], [2], [3]], np.float32)
    logits = levels[:2][:, inputs].sum(axis=(2, 3)).T
    curve = 1 / (1 + np.exp(-np.linspace(-40, 40, 80_001)))
    np.savez(tmp_path / "real.npz", inputs=inputs, levels=levels, logits=logits, probabilities=curve)
    (tmp_path / "facts.json").write_text(json.dumps(FACTS))
    (tmp_path / "network.onnx").write_bytes(b"onnx")
    return tmp_path


@pytest.mark.parametrize("version", ["8.5.3.1", "8.6.0"])
def test_it_builds_inspects_compares_and_measures(
    carried: Any, folder: Path, use_tensorrt: UseTensorRt, version: str
) -> None:
    use_tensorrt(version).plan = fake_plan(batch=carried.LARGEST_BATCH)
    carried.check(folder)
    results = json.loads((folder / "results.json").read_text())
    assert results["gpu"]["name"] == "NVIDIA T4"
    assert (results["films"], results["triage_changes"]) == (5, 0)
    assert results["score_change"] < 1e-3
    assert list(results["films_per_second"]) == ["1", "8", "64", "256"]
    assert (folder / "builder.log").is_file()


def test_an_engine_that_is_wrong_is_told(carried: Any, folder: Path, use_tensorrt: UseTensorRt) -> None:
    use_tensorrt("8.6.0").plan = fake_plan(batch=carried.LARGEST_BATCH)
    told = dict(np.load(folder / "films.npz"))
    np.savez(folder / "films.npz", **(told | {"conv5": 2 * told["conv5"]}))
    with pytest.raises(AssertionError):
        carried.check(folder)


def test_films_between_two_bounds_are_to_be_reviewed(carried: Any) -> None:
    facts = FACTS | {"review_low": 0.4, "review_high": 0.6}
    assert carried.triage_of(np.array([0.1, 0.5, 0.9]), facts).tolist() == [0, 2, 1]
    assert carried.triage_of(np.array([0.1, 0.5, 0.9]), FACTS).tolist() == [0, 1, 1]
