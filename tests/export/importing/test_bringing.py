import dataclasses
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from typer.testing import CliRunner

import foreign_networks
from cxr_cli.commands import app
from cxr_export.folder import ExportOptions, lower_folder
from cxr_export.importing.bringing import Imported, Wish, import_network
from cxr_export.importing.kinds import Asked, build_source
from cxr_export.precision import Precision
from cxr_runtime.backends.graph.half import half_graph, largest_magnitudes
from cxr_runtime.backends.onnxruntime_cpu import CPU_PROVIDER, OnnxRuntimeCpu, new_session, session_options
from cxr_runtime.errors import CalibrationError, ModelError, UsageError
from cxr_runtime.logits import margins
from cxr_runtime.model.folder import open_model
from cxr_runtime.model.known_films import read_known_films
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.scan import scan
from foreign_networks import CHANNELS, ORIGIN, SIDE, STRIDE, Attending, write_onnx, write_weights

torch.set_num_threads(1)
CODE = Path(foreign_networks.__file__).parent
EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Imported]:
    """A class with one channel and five outputs, and its state dict."""
    folder = tmp_path_factory.mktemp("brought")
    weights = write_weights(folder / "small.pth", outputs=5, channels=1)
    asked = Asked(tuple("abcde"), {"outputs": 5, "channels": 1}, CODE, SIDE)
    wish = Wish(
        str(weights), asked=asked, abnormal=("b", "d"), preprocessing={"crop": "centre", "crop_margin": 0.0}
    )
    return folder / "model", import_network("module:foreign_networks.Small", folder / "model", wish)


def test_a_class_of_ones_own_becomes_a_folder_that_says_where_it_comes_from(
    brought: tuple[Path, Imported],
) -> None:
    folder, imported = brought
    manifest = open_model(folder, allow_uncalibrated=True).manifest
    assert manifest.architecture == "foreign_networks.Small"
    assert manifest.training["abnormal_is"] == "the highest of b, d"
    assert manifest.training["weights"].startswith("small.pth (sha256 ")
    assert manifest.preprocessing.crop == "centre"
    assert imported.cells_hw == (8, 8)
    assert manifest.heat.conv5_layer.startswith("relu")
    assert len(manifest.heat.channel_weights) == CHANNELS
    assert manifest.heat.cells.stride == STRIDE
    assert manifest.heat.cells.origin == pytest.approx(ORIGIN, abs=1.5)
    assert imported.parity.logits_relative < 1e-4


def test_the_input_has_three_channels_whatever_the_network_takes(brought: tuple[Path, Imported]) -> None:
    engine = OnnxRuntimeCpu((brought[0] / "model.onnx").read_bytes(), is_reference=True)
    outputs = engine.run(np.zeros((2, 3, SIDE, SIDE), np.float32))
    engine.close()
    assert outputs.conv5.shape == (2, CHANNELS, 8, 8)
    assert outputs.conv5.min() >= 0


def test_it_is_not_scanned_with_before_it_is_calibrated(
    brought: tuple[Path, Imported], tmp_path: Path
) -> None:
    with pytest.raises(CalibrationError, match="cxr-triage calibrate"):
        open_model(brought[0])
    options = ScanOptions(
        out=tmp_path / "out", model=brought[0], allow_uncalibrated=True, backend="onnxruntime", workers=1
    )
    summary = scan([EXAMPLES / "nodule-right.bmp"], options)
    assert summary.tally.scored == 1
    assert len(list((tmp_path / "out" / "heatmaps").glob("*.png"))) == 1


def test_its_precision_can_be_lowered(brought: tuple[Path, Imported], tmp_path: Path) -> None:
    exported = lower_folder(brought[0], tmp_path / "half", ExportOptions("ward", "MIT", Precision.FP16))
    assert exported.acceptance is not None
    manifest = open_model(tmp_path / "half", allow_uncalibrated=True).manifest
    assert (manifest.name, manifest.licence, manifest.precision) == ("ward", "MIT", "fp16")
    with pytest.raises(ModelError, match="expected a float32 folder, and --precision fp16 or int8"):
        lower_folder(tmp_path / "half", tmp_path / "again", ExportOptions(precision=Precision.FP16))


def test_a_network_may_ask_for_requests_though_the_program_hides_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, "requests", None)  # as `cxr_cli.start` leaves it
    (tmp_path / "requests.py").touch()
    (tmp_path / "asking.py").write_text("import requests\nfrom torch.nn import Identity\n")
    assert build_source("module:asking.Identity", Asked(code=tmp_path)).facts.channels == 3


def test_a_network_that_attends_is_refused(tmp_path: Path) -> None:
    asked = Asked(settings={}, code=CODE, size=SIDE)
    with pytest.raises(ModelError, match="attends from all cells"):
        import_network(
            f"module:foreign_networks.{Attending.__name__}", tmp_path, Wish("scratch", asked=asked)
        )
    assert list(tmp_path.iterdir()) == []


def test_a_softmax_at_the_end_is_left_out_for_a_margin_is_made_of_logits(tmp_path: Path) -> None:
    films = np.random.default_rng(0).normal(size=(2, 3, SIDE, SIDE)).astype(np.float32)
    pairs = {
        "file": (str(write_onnx(tmp_path / "shares.onnx", ending="Softmax")), Wish()),
        "logits": (str(write_onnx(tmp_path / "logits.onnx")), Wish()),
        "class": (
            "module:foreign_networks.Sharing",
            Wish(str(write_weights(tmp_path / "small.pth")), asked=Asked(code=CODE, size=SIDE)),
        ),
        "logarithms": (
            "module:foreign_networks.SharingLogarithms",
            Wish(str(tmp_path / "small.pth"), asked=Asked(code=CODE, size=SIDE)),
        ),
    }
    said = {}
    before = {
        "file": "(before softmax)",
        "logits": "",
        "class": "(before softmax)",
        "logarithms": "(before log_softmax)",
    }
    for name, (source, wish) in pairs.items():
        made = import_network(source, tmp_path / name, wish)
        assert str(made.manifest.training["outputs"]).partition(" ")[2].partition(" ")[2] == before[name]
        engine = OnnxRuntimeCpu((tmp_path / name / "model.onnx").read_bytes(), is_reference=True)
        said[name] = engine.run(films).logits
        engine.close()
    np.testing.assert_array_equal(said["file"], said["logits"])
    np.testing.assert_array_equal(said["logarithms"], said["class"])
    assert np.abs(said["class"].sum(axis=1) - 1).min() > 1e-3


@pytest.mark.parametrize(
    ("names", "abnormal", "ending"),
    [
        ("abnormal,normal", "", "Softmax"),
        ("a,b", "a", "Softmax"),
        ("normal,pneumonia,tb", "pneumonia,tb", "Softmax"),
        ("normal,pneumonia,tb", "pneumonia,tb", "LogSoftmax"),
    ],
)
def test_the_margin_of_a_network_that_ends_in_a_softmax_is_that_of_its_abnormal_share(
    tmp_path: Path, names: str, abnormal: str, ending: str
) -> None:
    outputs, stated = tuple(names.split(",")), tuple(abnormal.split(",")) if abnormal else ()
    file = write_onnx(tmp_path / "shares.onnx", outputs=len(outputs), ending=ending)
    import_network(str(file), tmp_path / "model", Wish(asked=Asked(outputs), abnormal=stated))
    films = 3 * np.random.default_rng(0).normal(size=(8, 3, SIDE, SIDE)).astype(np.float32)
    source = new_session(file.read_bytes(), [CPU_PROVIDER], session_options(None))
    shares = np.concatenate([source.run(None, {"x": film[None]})[0] for film in films])
    shares = np.exp(shares) if ending == "LogSoftmax" else shares
    share = shares[:, [outputs.index(name) for name in stated or ("abnormal",)]].sum(axis=1)
    content = (tmp_path / "model" / "model.onnx").read_bytes()
    half = half_graph(content, largest_magnitudes(content, films))
    for engine in (OnnxRuntimeCpu(content, threads=1), OnnxRuntimeCpu(half, threads=1)):
        found = margins(engine.run(films).logits)
        engine.close()
        np.testing.assert_allclose(found, np.log(share / (1 - share)), atol=0.02)


def test_openvino_joins_classes_as_onnx_runtime_does(tmp_path: Path) -> None:
    """Its ReduceLogSumExp sums over all films of a batch."""
    pytest.importorskip("openvino", reason="openvino is not installed (extra `openvino`)")
    from cxr_runtime.backends.openvino_cpu import OpenVinoCpu

    file = write_onnx(tmp_path / "shares.onnx", outputs=4, ending="Softmax")
    import_network(str(file), tmp_path / "model", Wish(abnormal=("1", "2")))
    content = (tmp_path / "model" / "model.onnx").read_bytes()
    films = np.random.default_rng(0).normal(size=(3, 3, SIDE, SIDE)).astype(np.float32)
    engines = (OnnxRuntimeCpu(content, threads=1), OpenVinoCpu(content, len(films), threads=1))
    expected, found = (engine.run(films).logits for engine in engines)
    for engine in engines:
        engine.close()
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_size_that_a_file_does_not_have_is_refused(tmp_path: Path) -> None:
    file = write_onnx(tmp_path / "foreign.onnx")
    with pytest.raises(
        UsageError, match="takes films of 64 x 64 pixels, and --size is 128; leave --size out"
    ):
        import_network(str(file), tmp_path / "model", Wish(asked=Asked(size=128)))


@pytest.mark.parametrize("last_channels", [False, True])
def test_an_old_file_for_one_film_or_two_becomes_a_folder_for_any_number(
    last_channels: bool, tmp_path: Path
) -> None:
    file = write_onnx(tmp_path / "foreign.onnx", batch=1 + last_channels, last_channels=last_channels)
    imported = import_network(str(file), tmp_path / "model", Wish())
    model = onnx.load(tmp_path / "model" / "model.onnx")
    assert [entry.version for entry in model.opset_import if entry.domain == ""] == [17]
    assert imported.parity.conv5_relative < 1e-4
    assert imported.manifest.heat.conv5_layer == ("same" if last_channels else "r3")
    assert imported.channels == CHANNELS
    assert imported.manifest.heat.cells.stride == STRIDE


def test_the_layer_that_is_named_counts_with_its_normalisation_and_activation(tmp_path: Path) -> None:
    file = write_onnx(tmp_path / "foreign.onnx", batch="N", opset=18)
    named = import_network(str(file), tmp_path / "model", Wish(feature_map="last"))
    assert named.manifest.heat.conv5_layer == "r3"
    with pytest.raises(ModelError, match=r"feature map layer4 is not there; expected .* r3"):
        import_network(str(file), tmp_path / "other", Wish(feature_map="layer4"))


def write_bright_films(folder: Path, first: int) -> Path:
    """A table of drawn films of 30 people, two of each; every second one is abnormal, on bright films."""
    rows = ["file,label,patient"]
    folder.mkdir()
    for number in range(60):
        label = number // 2 % 2
        film = draw_phantom(first + number, hw=(112, 112))
        (folder / f"{number}.png").write_bytes(encode_png(film if label else film // 2 + film // 8))
        rows.append(f"{number}.png,{label},{first + number // 2}")
    (folder / "films.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder / "films.csv"


def test_an_imported_folder_with_a_fitted_head_is_calibrated_scanned_with_and_made_int8(
    tmp_path: Path,
) -> None:
    learned, clinic = (
        write_bright_films(tmp_path / "learned", 0),
        write_bright_films(tmp_path / "clinic", 900),
    )
    file, folder = write_onnx(tmp_path / "foreign.onnx", outputs=7), tmp_path / "model"
    wish = Wish(preprocessing={"crop": "film"})
    with pytest.raises(UsageError, match="the network has 7 outputs"):
        import_network(str(file), folder, wish)
    imported = import_network(str(file), folder, wish, [learned], tmp_path / "cache")
    said = imported.manifest.training["abnormal_is"]
    assert "logistic regression on the averages of its map, 60 films of 30 patients" in said
    model = open_model(folder, allow_uncalibrated=True)
    known = read_known_films(folder, model.manifest.model_sha256)
    assert known is not None
    assert known.digests.size == 60

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, [*words])
        assert done.exit_code == 0, done.output
        return done.output

    refused = CliRunner().invoke(app, ["calibrate", "--model", str(folder), "--labels", str(learned)])
    assert "the model has learned from this film" in str(refused.exception)
    run("calibrate", "--model", str(folder), "--labels", str(clinic))
    night = (str(clinic.parent / "2.png"), "--backend", "onnxruntime", "--format", "csv")
    assert "1 scored (1 flagged)" in run(
        "scan", *night, "--model", str(folder), "--out", str(tmp_path / "out")
    )
    run("export", str(folder), "--precision", "int8", "--data", str(clinic), "--out", str(tmp_path / "int8"))
    lower = open_model(tmp_path / "int8", allow_uncalibrated=True).manifest
    assert lower.precision == "int8"
    still_known = read_known_films(tmp_path / "int8", lower.model_sha256)
    assert still_known is not None
    np.testing.assert_array_equal(still_known.digests, known.digests)
    no_tensorrt = CliRunner().invoke(app, ["build-engine", str(folder)])
    assert "no engine can be built here: tensorrt is not installed" in str(no_tensorrt.exception)


def test_what_only_the_user_knows_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)  # as where it is not installed
    asked = Asked(code=CODE)
    with pytest.raises(UsageError, match="nothing says which weights"):
        import_network("module:foreign_networks.Small", tmp_path, Wish(asked=asked))
    with pytest.raises(UsageError, match="SOURCE 'resnet18' names no network; expected an "):
        import_network("resnet18", tmp_path, Wish("scratch"))
    with pytest.raises(UsageError, match="need the library torchvision, which is not installed"):
        import_network("torchvision:resnet18", tmp_path, Wish("scratch"))
    with pytest.raises(UsageError, match="module foreign_networks has no class Large"):
        import_network("module:foreign_networks.Large", tmp_path, Wish("scratch", asked=asked))
    more = dataclasses.replace(asked, settings={"depth": 3})
    with pytest.raises(UsageError, match="cannot be made so"):
        import_network("module:foreign_networks.Small", tmp_path, Wish("scratch", asked=more))
