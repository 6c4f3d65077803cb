"""What an earlier run has finished holds only as long as everything that decided it is the same."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from cxr_runtime.errors import ModelError
from cxr_runtime.heat.map import HeatMethod
from cxr_runtime.model.folder import DEFAULT_MODEL, open_model
from cxr_runtime.scanning.fingerprint import NETWORKS, fingerprint_of


def test_the_digest_changes_with_the_model_the_heat_and_the_networks_of_the_gate(tmp_path: Path) -> None:
    manifest = open_model(DEFAULT_MODEL).manifest
    digest = partial(fingerprint_of, lung_outline=False)
    usual = digest(manifest, HeatMethod.CAM)
    other_network = tmp_path / "gate.onnx"
    other_network.write_bytes(b"another one")
    assert digest(manifest, HeatMethod.CAM) == usual
    others = {
        digest(replace(manifest, model_sha256="0" * 64), HeatMethod.CAM),
        digest(manifest, HeatMethod.STRONGEST_CHANNEL),
        digest(manifest, HeatMethod.CAM, lung_outline=True),
        digest(manifest, HeatMethod.CAM, networks=(other_network, *NETWORKS[1:])),
        digest(manifest, HeatMethod.CAM, networks=(*NETWORKS[:1], other_network)),
    }
    assert len({usual, *others}) == 6


def test_a_missing_network_is_named_before_any_film_is_read(tmp_path: Path) -> None:
    manifest = open_model(DEFAULT_MODEL).manifest
    with pytest.raises(ModelError, match=r"gate\.onnx, a part of the program, is missing; install"):
        fingerprint_of(manifest, HeatMethod.CAM, lung_outline=False, networks=(tmp_path / "gate.onnx",))
