"""A model folder made from a network."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cxr_export.folder import export_network
from cxr_export.parity import TOLERANCE
from cxr_runtime.backends.choose import open_engine
from cxr_runtime.errors import ModelError
from cxr_runtime.manifest import Manifest
from cxr_runtime.model import open_model
from cxr_train.networks import Network


def test_an_exported_network_opens_and_says_what_its_source_says(
    network: Network, manifest: Manifest, films: NDArray[np.float32], tmp_path: Path
) -> None:
    export_network(network, manifest, tmp_path / "model", films)
    model = open_model(tmp_path / "model", allow_uncalibrated=True)
    outputs = open_engine(model, "onnxruntime", batch_size=5, threads=1).run(films[:5])
    with torch.no_grad():
        expected = network(torch.from_numpy(films[:5]))
    np.testing.assert_allclose(outputs.logits, expected.logits, atol=1e-5)
    np.testing.assert_allclose(outputs.conv5, expected.conv5, atol=1e-5)


def test_the_worst_difference_is_written_into_the_manifest(
    network: Network, manifest: Manifest, films: NDArray[np.float32], tmp_path: Path
) -> None:
    parity = export_network(network, manifest, tmp_path, films)
    written = open_model(tmp_path, allow_uncalibrated=True).manifest
    assert written.parity == parity.as_numbers()
    assert 0 < parity.conv5_relative < TOLERANCE
    assert written.precision == "fp32"


def test_an_export_that_disagrees_is_refused_and_writes_nothing(
    network: Network, manifest: Manifest, films: NDArray[np.float32], tmp_path: Path
) -> None:
    class Drifting(torch.nn.Module):
        """Says something else once it is no longer traced."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if torch.compiler.is_exporting() else x * 1.01

    network.features.insert(0, Drifting())
    with pytest.raises(ModelError, match="does not agree with its network"):
        export_network(network, manifest, tmp_path / "model", films)
    assert not (tmp_path / "model").exists()


def test_a_card_that_was_written_by_hand_is_kept(
    network: Network, manifest: Manifest, films: NDArray[np.float32], tmp_path: Path
) -> None:
    export_network(network, manifest, tmp_path, films)
    drawn = (tmp_path / "card.md").read_text()
    assert manifest.architecture in drawn
    (tmp_path / "card.md").write_text("by hand")
    export_network(network, manifest, tmp_path, films)
    assert (tmp_path / "card.md").read_text() == "by hand"
