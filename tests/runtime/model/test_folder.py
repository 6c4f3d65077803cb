import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cxr_runtime.errors import CalibrationError, ModelError
from cxr_runtime.heat.map import LocationPrior
from cxr_runtime.model.folder import bundled_models, open_model, read_manifest, write_manifest
from cxr_runtime.model.own_digest import marked
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
        ({"model_sha256": "00"}, "is not a digest of 64 hex digits"),
        ({"heat": None}, "heat"),
        ({"heat": {"channel_weights": []}}, "a weight of the heat map"),
        ({"heat": {"channel_weights": ["1"]}}, "heat.channel_weights.0 is '1'"),
        ({"heat": {"threshold": 1.5}}, "a threshold of the heat map"),
        ({"heat": {"stretch": 0}}, "the stretch of the heat map"),
        ({"heat": {"stretch": 48.5, "offset": 184.8}}, "the colour range of the heat map is too steep"),
        ({"heat": {"stretch": 10.0}}, "the colour range of the heat map is too steep"),
        ({"heat": {"cells": {"origin": 1.0}}}, "heat.cells.stride is missing"),
        ({"heat": {"prior": [[1.0]]}}, "heat.prior"),
        ({"preprocessing": {"input_hw": [0, 224]}}, "the sizes"),
        ({"preprocessing": {"input_hw": [100_000, 224]}}, "the sizes"),
        ({"preprocessing": {"crop": "lungs"}}, "crop 'lungs' is none of film, centre, lung-field, lung-mask"),
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


def change(path: Path, **entries: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_a_whole_folder_opens(tmp_path: Path) -> None:
    model = open_model(write_model_folder(tmp_path / "m"))
    assert model.manifest.name == "bright"
    assert model.is_calibrated
    assert model.calibration.default_operating_point == "balanced"


def test_a_manifest_written_again_is_the_same(tmp_path: Path) -> None:
    manifest = open_model(write_model_folder(tmp_path / "m")).manifest
    write_manifest(manifest, tmp_path / "again.json")
    assert read_manifest(tmp_path / "again.json") == manifest


def test_a_manifest_keeps_its_location_prior(tmp_path: Path) -> None:
    manifest = open_model(write_model_folder(tmp_path / "m")).manifest
    prior = LocationPrior(((1.0, 0.5), (0.25, 0.001)), 1.5, 0.1, (0.1, 0.2, 0.9, 0.8))
    heat = replace(
        manifest.heat, prior=prior, stretch=1.5, offset=0.5, strongest_threshold=0.2, smoothing=0.9
    )
    write_manifest(replace(manifest, heat=heat), tmp_path / "again.json")
    assert read_manifest(tmp_path / "again.json").heat == heat


def test_a_manifest_of_before_the_prior_had_a_frame_loads_without_one_and_is_refused_with_one(
    tmp_path: Path,
) -> None:
    stated = json.loads((write_model_folder(tmp_path / "m") / "model.json").read_text(encoding="utf-8"))
    for name in ("stretch", "offset", "strongest_threshold", "smoothing"):
        del stated["heat"][name]
    stated["heat"]["prior"] = []
    del stated["content_sha256"], stated["made_here"]
    path = tmp_path / "old.json"
    path.write_text(json.dumps(stated), encoding="utf-8")
    assert read_manifest(path).heat.prior is None
    stated["heat"]["prior"] = [[1.0, 0.5]]
    path.write_text(json.dumps(stated), encoding="utf-8")
    with pytest.raises(ModelError, match=r"heat\.prior is .*should be an object.*export the model anew"):
        read_manifest(path)


def test_a_damaged_network_is_refused(tmp_path: Path) -> None:
    folder = write_model_folder(tmp_path / "m")
    content = bytearray((folder / "model.onnx").read_bytes())
    content[100] ^= 1
    (folder / "model.onnx").write_bytes(content)
    with pytest.raises(ModelError, match="damaged or foreign"):
        open_model(folder)


def test_a_missing_model_names_those_there_are() -> None:
    with pytest.raises(ModelError, match="one of: "):
        open_model("no-such-model")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"name": 1}', "\x00"])
def test_a_broken_manifest_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    folder = write_model_folder(tmp_path / "m")
    (folder / "model.json").write_text(content)
    with pytest.raises(ModelError, match="export the model anew") as caught:
        open_model(folder)
    assert "\n" not in str(caught.value)


def test_another_preprocessing_version_is_refused(tmp_path: Path) -> None:
    folder = write_model_folder(tmp_path / "m")
    stated = json.loads((folder / "model.json").read_text())
    stated["preprocessing"]["version"] = "0"
    (folder / "model.json").write_text(marked(json.dumps(stated), None))
    with pytest.raises(ModelError, match="preprocessing version 0"):
        open_model(folder)


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("model_sha256", "0" * 64),
        ("preprocessing_version", "0"),
        ("precision", "fp16"),
        ("input_route", "half"),
    ],
)
def test_a_calibration_of_something_else_is_refused(tmp_path: Path, entry: str, value: str) -> None:
    folder = write_model_folder(tmp_path / "m")
    change(folder / "calibration.json", **{entry: value})
    with pytest.raises(CalibrationError, match=f"calibration .* {entry}"):
        open_model(folder)
    assert not open_model(folder, allow_uncalibrated=True).is_calibrated


def test_a_folder_without_a_calibration_is_refused_unless_allowed(tmp_path: Path) -> None:
    folder = write_model_folder(tmp_path / "m")
    (folder / "calibration.json").unlink()
    with pytest.raises(CalibrationError, match="--allow-uncalibrated"):
        open_model(folder)
    model = open_model(folder, allow_uncalibrated=True)
    assert not model.is_calibrated
    assert model.calibration.operating_point().threshold == 0.5


def test_the_default_model_came_with_the_program() -> None:
    assert "default" in bundled_models()
    assert open_model().is_calibrated
