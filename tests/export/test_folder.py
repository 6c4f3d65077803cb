"""A model folder made from a network."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from cxr_export.films import ExportFilms
from cxr_export.folder import export_network
from cxr_export.parity import TOLERANCE
from cxr_export.precision import Precision
from cxr_runtime.backends.choose import open_engine
from cxr_runtime.backends.graph.lrn import rewrite_lrn
from cxr_runtime.errors import ModelError, UsageError
from cxr_runtime.model.folder import Manifest, open_model
from cxr_runtime.model.known_films import read_known_films, write_known_films
from cxr_runtime.model.preprocessing import normalise
from cxr_train.networks import Network


@pytest.fixture
def traced_before(traced: onnx.ModelProto, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the tracing where it is the same network every time."""
    monkeypatch.setattr("cxr_export.folder.trace", lambda *_: traced)


def test_an_exported_network_opens_and_says_what_its_source_says(
    network: Network, manifest: Manifest, films: ExportFilms, tmp_path: Path
) -> None:
    export_network(network, manifest, tmp_path / "model", films)
    model = open_model(tmp_path / "model", allow_uncalibrated=True)
    batch = normalise(films.judged[:5], manifest.preprocessing)
    outputs = open_engine(model, "onnxruntime", batch_size=5, threads=1).run(batch)
    with torch.no_grad():
        expected = network(torch.from_numpy(batch))
    np.testing.assert_allclose(outputs.logits, expected.logits, atol=1e-5)
    np.testing.assert_allclose(outputs.conv5, expected.conv5, atol=1e-5)


@pytest.mark.usefixtures("traced_before")
def test_the_worst_difference_is_written_into_the_manifest(
    network: Network, manifest: Manifest, films: ExportFilms, tmp_path: Path
) -> None:
    exported = export_network(network, manifest, tmp_path, films)
    written = open_model(tmp_path, allow_uncalibrated=True).manifest
    assert written.parity == exported.parity.as_numbers()
    assert 0 < exported.parity.conv5_relative < TOLERANCE
    assert written.precision == "fp32"
    assert exported.acceptance is None


@pytest.mark.usefixtures("traced_before")
@pytest.mark.parametrize("precision", [Precision.FP16, Precision.INT8])
def test_a_lower_precision_is_accepted_on_films_and_its_cost_written_down(
    network: Network, manifest: Manifest, films: ExportFilms, tmp_path: Path, precision: Precision
) -> None:
    exported = export_network(network, manifest, tmp_path, films, precision)
    model = open_model(tmp_path, allow_uncalibrated=True)
    assert model.manifest.precision == precision
    assert exported.acceptance is not None
    assert exported.acceptance.films == 40
    assert model.manifest.parity["score_change"] == exported.acceptance.score_change > 0
    assert {"auc_change", "auc_low", "auc_high", "heat_correlation"} <= set(model.manifest.parity)


@pytest.mark.usefixtures("traced_before")
@pytest.mark.parametrize("precision", Precision)
def test_every_precision_keeps_its_shapes_so_that_lrn_can_be_rewritten_when_loaded(
    network: Network, manifest: Manifest, films: ExportFilms, tmp_path: Path, precision: Precision
) -> None:
    export_network(network, manifest, tmp_path, films, precision)
    onnx_file = open_model(tmp_path, allow_uncalibrated=True).onnx
    assert "LRN" in _operators(onnx_file)
    assert "LRN" not in _operators(rewrite_lrn(onnx_file))


def _operators(model: bytes) -> set[str]:
    return {node.op_type for node in onnx.load_from_string(model).graph.node}


def test_an_export_that_disagrees_is_refused_and_writes_nothing(
    network: Network, manifest: Manifest, films: ExportFilms, tmp_path: Path
) -> None:
    class Drifting(torch.nn.Module):
        """Says something else once it is no longer traced."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if torch.compiler.is_exporting() else x * 1.01

    network.features.insert(0, Drifting())
    with pytest.raises(ModelError, match="does not agree with its network"):
        export_network(network, manifest, tmp_path / "model", films)
    assert not (tmp_path / "model").exists()


@pytest.mark.usefixtures("traced_before")
def test_a_precision_that_changes_the_picture_is_refused_and_writes_nothing(
    network: Network, manifest: Manifest, films: ExportFilms, tmp_path: Path
) -> None:
    narrow = replace(films, calibration=np.full_like(films.calibration, 120))
    with pytest.raises(ModelError, match="int8 is not accepted on 40 films of blobs: "):
        export_network(network, manifest, tmp_path / "model", narrow, Precision.INT8)
    assert not (tmp_path / "model").exists()


@pytest.mark.usefixtures("traced_before")
def test_films_that_the_model_before_it_has_learned_from_are_forgotten(
    network: Network, manifest: Manifest, films: ExportFilms, tmp_path: Path
) -> None:
    export_network(network, manifest, tmp_path, films)
    model_sha256 = open_model(tmp_path, allow_uncalibrated=True).manifest.model_sha256
    write_known_films(tmp_path, model_sha256, ["ab" * 32])
    export_network(network, manifest, tmp_path, films)
    assert read_known_films(tmp_path, model_sha256) is not None
    write_known_films(tmp_path, "cd" * 32, ["ab" * 32])
    export_network(network, manifest, tmp_path, films)
    assert read_known_films(tmp_path, model_sha256) is None


@pytest.mark.usefixtures("traced_before")
def test_a_card_that_was_written_by_hand_is_kept(
    network: Network, manifest: Manifest, films: ExportFilms, tmp_path: Path
) -> None:
    export_network(network, manifest, tmp_path, films)
    drawn = (tmp_path / "card.md").read_text()
    assert manifest.architecture in drawn
    (tmp_path / "card.md").write_text("by hand")
    export_network(network, manifest, tmp_path, films)
    assert (tmp_path / "card.md").read_text() == "by hand"


def test_a_folder_of_another_model_is_left_as_it_is_and_the_same_model_is_exported_anew(
    network: Network, manifest: Manifest, films: ExportFilms, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    export_network(network, manifest, out, films)
    (out / "calibration.json").write_text("of the first")
    export_network(network, replace(manifest, licence="MIT"), out, films)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    torch.nn.init.constant_(network.get_parameter("classifier.1.bias"), 0.5)
    with pytest.raises(UsageError, match=r"model holds another model, .*; choose another folder with --out"):
        export_network(network, manifest, out, films)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
