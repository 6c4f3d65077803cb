"""What a GPU is measured by, run on the processor; times are never judged."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cxr_export.folder import export_network
from cxr_export.gpu import measuring
from cxr_export.gpu.agreement import Agreement, agreement
from cxr_export.gpu.contenders import COMPILED, EAGER, ONNXRUNTIME, TENSORRT, Entrant, TorchEngine, contenders
from cxr_export.gpu.floor import Rates, Work
from cxr_export.gpu.race import Lap, race
from cxr_export.gpu.report import Results, as_markdown
from cxr_runtime.backends.engine import Outputs
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.errors import BackendError
from cxr_runtime.model.folder import Manifest, open_model
from cxr_runtime.pictures import encode_png
from cxr_train.networks import Network
from export_results import paired


@pytest.fixture
def entrant(network: Network, manifest: Manifest, tmp_path: Path) -> Entrant:
    export_network(network, manifest, tmp_path / "model")
    return Entrant(network, open_model(tmp_path / "model", allow_uncalibrated=True))


def _refuse(entrant: Entrant, batch: int) -> OnnxRuntimeCpu:
    raise BackendError(f"no GPU for {batch} films of {entrant.model.manifest.name}")


def test_every_contender_is_measured_at_every_batch_or_its_absence_explained(entrant: Entrant) -> None:
    openers = {EAGER: contenders("cpu")[EAGER], TENSORRT: _refuse}
    laps = list(race(entrant, openers, (1, 3), seconds=0))
    assert [(lap.contender, lap.batch) for lap in laps] == [
        (EAGER, 1),
        (EAGER, 3),
        (TENSORRT, 1),
        (TENSORRT, 3),
    ]
    assert all(lap.films_per_second and (lap.logits_difference or 0) < 1e-5 for lap in laps[:2])
    assert [lap.reason for lap in laps[2:]] == ["no GPU for 1 films of small", "no GPU for 3 films of small"]


@pytest.mark.parametrize("name", [ONNXRUNTIME, TENSORRT])
def test_what_a_contender_lacks_is_told(entrant: Entrant, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("cxr_export.gpu.contenders.why_missing", lambda backend: f"no {backend} here")
    with pytest.raises(BackendError, match=r"no (cuda|tensorrt) here"):
        contenders("cpu")[name](entrant, 8)


def test_pytorch_computes_in_half_precision_on_a_copy(network: Network) -> None:
    batch = np.random.default_rng(0).normal(size=(2, 3, 33, 33)).astype(np.float32)
    whole = TorchEngine(network, "cpu", is_half=False, is_compiled=False).run(batch)
    half = TorchEngine(network, "cpu", is_half=True, is_compiled=False).run(batch)
    assert 0 < np.abs(whole.conv5 - half.conv5).max() < 0.02 * whole.conv5.max()
    assert next(network.parameters()).dtype == torch.float32


def test_the_page_tells_floor_aims_and_what_was_not_measured() -> None:
    laps = (
        Lap("custom", EAGER, 64, 100.0, 0.0, 0.0),
        Lap("custom", COMPILED, 64, 400.0, 1e-3, 2e-3),
        Lap("custom", TENSORRT, 64, 480.0, 1e-3, 2e-3),
        Lap("custom", ONNXRUNTIME, 64, reason="no onnxruntime-gpu"),
    )
    rates = Rates(flops=1e12, memory_bytes=1e12, bus_bytes=1e10)
    whole = Agreement(9, 0.25, 1, paired(0.001, -0.002, 0.003))
    page = as_markdown(Results(laps, {"custom": Work(1e9, 1, 1)}, rates, whole))
    assert "| custom | TensorRT FP16 | 64 | 480 | 48% | 1.0e-03 | 2.0e-03 |" in page
    assert "4.8 times PyTorch eager FP32, aim 4: met." in page
    assert "1.2 times torch.compile FP16, aim 1.3: not met." in page
    assert "Not measured: ONNX Runtime CUDA FP16, custom: no onnxruntime-gpu." in page
    assert (
        "on 9 films: scores differ by at most 0.25 of 100 (aim 0.5), triage on 1 (aim 0), AUC by +0.0010"
        in page
    )


class Shifted(OnnxRuntimeCpu):
    """The reference, sure that every film is normal."""

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        outputs = super().run(batch)
        return Outputs(outputs.logits + np.array([50, 0], np.float32), outputs.conv5)


def test_films_whose_triage_changes_are_counted(entrant: Entrant, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    rows = ["file,label,patient"]
    for number in range(6):
        (folder / f"{number}.png").write_bytes(encode_png(np.full((64, 64), 40 * number, np.uint8)))
        rows.append(f"{number}.png,{number % 2},p{number}")
    (folder / "films.csv").write_text("\n".join(rows) + "\n")
    model, data, cache = entrant.model, [folder / "films.csv"], tmp_path / "cache"
    same = agreement(model, OnnxRuntimeCpu(model.onnx), OnnxRuntimeCpu(model.onnx), data, cache)
    assert (same.films, same.score_change, same.triage_changes, same.auc.difference.value) == (6, 0.0, 0, 0.0)
    moved = agreement(model, OnnxRuntimeCpu(model.onnx), Shifted(model.onnx), data, cache)
    assert moved.score_change > 10
    assert moved.triage_changes > 0


def test_one_function_measures_and_makes_the_page(entrant: Entrant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "enter", lambda _: entrant)
    monkeypatch.setattr(measuring, "contenders", lambda device: {EAGER: contenders(device)[EAGER]})
    page = measuring.measure_gpu(["small"], [2], device="cpu", seconds=0, side=64)
    assert "| small | PyTorch eager FP32 | 2 |" in page
    assert "was not compared with the processor: no films were given." in page
