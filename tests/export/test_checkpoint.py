"""A training run as a model folder."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch

from cxr_export.checkpoint import export_checkpoint, note_known_films
from cxr_export.folder import ExportOptions
from cxr_export.precision import Precision
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.errors import ModelError, UsageError
from cxr_runtime.heat.map import HeatRecipe
from cxr_runtime.model.folder import open_model
from cxr_runtime.model.known_films import read_known_films
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_train.checkpoint import (
    BEST_FILE,
    DataFacts,
    RunConfig,
    load_checkpoint,
    write_config,
    write_tensors,
)
from cxr_train.data.split import SplitPlan
from cxr_train.heat.of_run import write_heat
from cxr_train.networks import Architecture, build_network
from cxr_train.recipe.recipe import Recipe

SIDE = 64
FILTERS = (4, 6, 8, 8, 10)
UNKNOWN = {"value": 0.8, "low": None, "high": None}  # an estimate without an interval


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of the network `edge` made small, with fresh weights."""
    architecture = Architecture("edge", input_hw=(SIDE, SIDE), filters=FILTERS)
    how = Preprocessing(input_hw=(SIDE, SIDE), working_hw=(SIDE, SIDE))
    torch.manual_seed(1)
    network = build_network(architecture)
    folder = tmp_path / "run"
    folder.mkdir()
    data = DataFacts(("nih",), films=10, patients=9, training_films=7, films_sha256="f" * 64)
    config = RunConfig(Recipe(architecture, how, epochs=3), SplitPlan(), "scratch", data)
    write_config(folder, config)
    write_tensors(folder / BEST_FILE, {f"network.{k}": v for k, v in network.state_dict().items()})
    heat = HeatRecipe((1.0,) * FILTERS[-1], 0.0, 1.0, 0.5, network.cells, network.conv5_layer, 1.0)
    write_heat(folder, heat)
    return folder


def test_a_run_becomes_a_model_that_opens_with_what_is_known_of_it(run: Path, tmp_path: Path) -> None:
    export_checkpoint(run, tmp_path / "model", ExportOptions("night", "Apache-2.0"))
    model = open_model(tmp_path / "model", allow_uncalibrated=True)
    manifest = model.manifest
    assert (manifest.name, manifest.architecture, manifest.licence) == ("night", "edge", "Apache-2.0")
    assert manifest.heat.conv5_layer == "features.relu5"
    assert manifest.training["films"] == 10
    assert manifest.training["films_sha256"] == "f" * 64
    assert manifest.training["starting_weights"] == "scratch"
    batch = np.random.default_rng(0).normal(size=(2, 3, SIDE, SIDE)).astype(np.float32)
    network, _ = load_checkpoint(run)
    with torch.no_grad():
        expected = network(torch.from_numpy(batch))
    found = OnnxRuntimeCpu(model.onnx, threads=1).run(batch)
    np.testing.assert_allclose(found.logits, expected.logits, atol=1e-5)


def test_the_folder_names_the_model_unless_told_otherwise(run: Path, tmp_path: Path) -> None:
    export_checkpoint(run / BEST_FILE, tmp_path / "ward-7", ExportOptions(precision=Precision.FP16))
    manifest = open_model(tmp_path / "ward-7", allow_uncalibrated=True).manifest
    assert (manifest.name, manifest.precision) == ("ward-7", "fp16")


def test_int8_without_films_is_wrong_usage(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="int8 takes its scales from films"):
        export_checkpoint(run, tmp_path / "model", ExportOptions(precision=Precision.INT8))


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json"):
        export_checkpoint(tmp_path, tmp_path / "model", ExportOptions())


def test_what_was_measured_goes_into_the_manifest(run: Path, tmp_path: Path) -> None:
    rows = [
        {"model": "run", "group": "all", "measures": {"auc": UNKNOWN}},
        {"model": "other", "group": "all", "measures": {"auc": 0.9}},
    ]
    told = tmp_path / "evaluation.json"
    told.write_text(json.dumps({"data_sets": ["nih512"], "truth": ["radiologist"], "rows": rows}))
    export_checkpoint(run, tmp_path / "model", ExportOptions(), evaluation=told)
    accuracy = open_model(tmp_path / "model", allow_uncalibrated=True).manifest.accuracy
    assert accuracy == {"data_sets": ["nih512"], "truth": ["radiologist"], "all": {"auc": UNKNOWN}}


@pytest.mark.parametrize(
    ("content", "told"),
    [("{", "cannot be read"), ('{"rows": [], "data_sets": [], "truth": []}', "says nothing of run")],
)
def test_an_evaluation_of_something_else_is_refused(
    run: Path, tmp_path: Path, content: str, told: str
) -> None:
    (tmp_path / "evaluation.json").write_text(content)
    with pytest.raises(UsageError, match=told):
        export_checkpoint(run, tmp_path / "model", ExportOptions(), evaluation=tmp_path / "evaluation.json")


def test_where_the_heat_lies_goes_into_the_manifest_too(run: Path, tmp_path: Path) -> None:
    lines = [
        {"model": "run", "method": "grad-cam", "measured": {"films": 9}},
        {"model": "run", "method": "cam", "measured": {"films": 7}},
    ]
    told = tmp_path / "localisation.json"
    told.write_text(json.dumps(lines), encoding="utf-8")
    export_checkpoint(run, tmp_path / "model", ExportOptions(), localisation=told)
    manifest = open_model(tmp_path / "model", allow_uncalibrated=True).manifest
    assert manifest.accuracy == {"localisation": {"films": 7}}
    told.write_text("[]", encoding="utf-8")
    with pytest.raises(UsageError, match="says nothing of the heat of run"):
        export_checkpoint(run, tmp_path / "other", ExportOptions(), localisation=told)


def _write_split(run: Path, sides: str) -> list[str]:
    digests = [sha256(f"{run.name} {number}".encode()).hexdigest() for number in range(len(sides))]
    words = {"t": "training", "v": "validation", "x": "test"}
    rows = [f"{n}.png,p{n},{words[side]},{digests[n]}" for n, side in enumerate(sides)]
    (run / "split.csv").write_text("\n".join(["name,patient,side,sha256", *rows]) + "\n")
    return digests


def test_an_export_notes_the_films_that_the_run_learned_from_or_was_chosen_by(
    run: Path, tmp_path: Path
) -> None:
    digests = _write_split(run, "tttvvxx")
    export_checkpoint(run, tmp_path / "model", ExportOptions())
    sha = open_model(tmp_path / "model", allow_uncalibrated=True).manifest.model_sha256
    known = read_known_films(tmp_path / "model", sha)
    assert known is not None
    assert [known.knows(digest) for digest in digests] == [True] * 5 + [False] * 2


def test_films_of_earlier_and_of_other_runs_are_noted_too(run: Path, tmp_path: Path) -> None:
    first = _write_split(run, "tx")
    earlier = sha256(b"earlier").hexdigest()
    (run / "earlier.csv").write_text(f"patient,sha256\n,{earlier}\n")
    other = tmp_path / "teacher"
    other.mkdir()
    second = _write_split(other, "t")
    export_checkpoint(run, tmp_path / "model", ExportOptions())
    known = note_known_films([run, other], tmp_path / "model")
    assert [known.knows(one) for one in (first[0], earlier, second[0], first[1])] == [True] * 3 + [False]
