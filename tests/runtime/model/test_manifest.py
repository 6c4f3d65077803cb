import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from cxr_runtime.errors import ModelError
from cxr_runtime.model.manifest import read_manifest, write_manifest
from model_folders import write_model_folder


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = write_model_folder(tmp_path) / "model.json"
    manifest = read_manifest(path)
    write_manifest(manifest, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()
    assert read_manifest(tmp_path / "again.json") == manifest


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"class_names": ["abnormal", "normal"]}, "class names"),
        ({"class_names": ["normal"]}, "class_names"),
        ({"precision": "fp8"}, "precision 'fp8' is none of fp32, fp16, int8"),
        ({"model_sha256": "00"}, "is no digest of 64 hex digits"),
        ({"heat": None}, "heat"),
        ({"heat": {"channel_weights": []}}, "a weight of the heat map"),
        ({"heat": {"channel_weights": ["1"]}}, "heat.channel_weights.0 is '1'"),
        ({"heat": {"threshold": 1.5}}, "a threshold of the heat map"),
        ({"heat": {"stretch": 0}}, "the stretch of the heat map"),
        ({"heat": {"cells": {"origin": 1.0}}}, "heat.cells.stride is missing"),
        ({"heat": {"prior": [[1.0]]}}, "heat.prior"),
        ({"preprocessing": {"input_hw": [0, 224]}}, "the sizes"),
        ({"preprocessing": {"input_hw": [100_000, 224]}}, "the sizes"),
        ({"preprocessing": {"crop": "lungs"}}, "crop 'lungs' is none of film, lung-field, lung-mask"),
        ({"preprocessing": {"std": [0, 1, 1]}}, "a standard deviation is not above 0"),
        ({"preprocessing": {"clahe_tiles": 0}}, "CLAHE"),
        ({"parity": {"logits": "much"}}, "parity.logits is 'much'"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused_in_one_line(
    tmp_path: Path, change: Mapping[str, object], said: str
) -> None:
    path = write_model_folder(tmp_path) / "model.json"
    stated = json.loads(path.read_text())
    for name, value in change.items():
        stated[name] = stated[name] | value if isinstance(value, dict) else value
    path.write_text(json.dumps(stated))
    with pytest.raises(ModelError, match="export the model anew") as refused:
        read_manifest(path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"name": NaN}', "[" * 100_000])
def test_a_damaged_manifest_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = write_model_folder(tmp_path) / "model.json"
    path.write_text(text)
    with pytest.raises(ModelError, match="cannot be used") as refused:
        read_manifest(path)
    assert "\n" not in str(refused.value)
