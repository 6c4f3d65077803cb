"""`cxr-triage export`, `build-engine`, `models` and `benchmark`: their faces."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cxr_cli.commands import app
from cxr_export.folder import Exported, ExportOptions
from cxr_export.parity import Parity
from cxr_runtime.backends.nvidia import presence, tensorrt_engine
from cxr_runtime.backends.nvidia.builder import GIB, BuildOptions
from cxr_runtime.backends.nvidia.tensorrt_engine import Compiled
from cxr_runtime.errors import BackendError, UsageError
from model_folders import write_model_folder

RUNNER = CliRunner()


pytestmark = pytest.mark.usefixtures("own_cache")


def _run(*arguments: object, status: int = 0) -> str:
    done = RUNNER.invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done.output


@pytest.mark.parametrize("command", ["benchmark", "build-engine", "export", "models"])
def test_help_tells_what_each_command_does(command: str) -> None:
    assert len(_run(command, "--help").splitlines()) > 5


def test_export_hands_everything_on_and_says_how_well_it_agrees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}

    def fake(checkpoint: Path, out: Path, options: ExportOptions, **measured: object) -> Exported:
        asked.update(vars(options), **measured, checkpoint=checkpoint, out=out)
        return Exported(Parity(1e-6, 2e-5, 1e-7, 1e-7), None)

    monkeypatch.setattr("cxr_export.checkpoint.export_checkpoint", fake)
    told = _run(
        "export", tmp_path, "--out", tmp_path / "m", "--precision", "int8", "--data", "a.csv", "--data", "b",
        "--licence", "MIT",
    )  # fmt: skip
    assert "against PyTorch logits differ by at most 1.0e-06, conv5 by 2.0e-05" in told
    assert asked["precision"] == "int8"
    assert asked["data"] == [Path("a.csv"), Path("b")]
    assert (asked["licence"], asked["out"]) == ("MIT", tmp_path / "m")


def test_a_model_folder_is_lowered_and_takes_no_measures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fake(source: Path, out: Path, options: ExportOptions) -> Exported:
        assert (source.name, out.name, options.precision) == ("model", "m", "fp16")
        return Exported(Parity(1e-6, 2e-5, 1e-7, 1e-7), None)

    monkeypatch.setattr("cxr_export.folder.lower_folder", fake)
    asked = ("export", write_model_folder(tmp_path / "model"), "--out", tmp_path / "m", "--precision", "fp16")
    assert "against its source logits differ by at most 1.0e-06" in _run(*asked)
    with pytest.raises(UsageError, match=r"is a model folder, .* --localisation are for a training run"):
        _run(*asked, "--evaluation", tmp_path / "evaluation.json")


def test_build_engine_says_why_no_engine_can_be_built_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "missing", lambda: "no NVIDIA GPU is visible")
    folder = write_model_folder(tmp_path / "model")
    with pytest.raises(BackendError, match="no engine can be built here: no NVIDIA GPU is visible"):
        _run("build-engine", folder)


def test_build_engine_hands_its_options_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def fake(model: object, **options: object) -> Compiled:
        asked.update(options)
        return Compiled(b"12345", "fp16", 4, was_built=True)

    monkeypatch.setattr(presence, "missing", lambda: None)
    monkeypatch.setattr(tensorrt_engine, "compile_model", fake)
    folder = write_model_folder(tmp_path / "model")
    told = _run("build-engine", folder, "--largest-batch", 4, "--workspace", 2, "--force")
    assert "fp16 engine of bright built, 5 bytes" in told
    options = asked["options"]
    assert isinstance(options, BuildOptions)
    assert (options.largest_batch, options.workspace_bytes, options.input_hw) == (4, 2 * GIB, (32, 32))
    assert (asked["force"], asked["precision"]) == (True, "fp16")


def test_models_lists_sha256_calibration_and_licence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_model_folder(tmp_path / "default")
    monkeypatch.setattr("cxr_runtime.model.folder.MODELS_FOLDER", tmp_path)
    sha256 = json.loads((folder / "model.json").read_text())["model_sha256"]
    told = _run("models")
    assert f"sha256       {sha256}" in told
    assert "calibration  temperature, " in told
    assert "licence      " in told


def test_models_says_so_where_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cxr_runtime.model.folder.MODELS_FOLDER", tmp_path)
    assert "no model came with this installation" in _run("models")


def test_benchmark_writes_its_tables_and_numbers(tmp_path: Path) -> None:
    folder = write_model_folder(tmp_path / "model")
    told = _run(
        "benchmark", "--model", folder, "--backend", "onnxruntime", "--batch", "1,2", "--films", 0,
        "--seconds", 0, "--threads", 1, "--json", tmp_path / "b.json", "--write", tmp_path / "b.md",
    )  # fmt: skip
    assert (tmp_path / "b.md").read_text().strip() in told
    engines = json.loads((tmp_path / "b.json").read_text())["engines"]
    assert [engine["batch_size"] for engine in engines] == [1, 2]


@pytest.mark.parametrize("batches", ["", "0", "1,x", "1,,2"])
def test_a_list_of_batches_that_is_none_is_wrong_usage(batches: str) -> None:
    assert "is not a list of batch sizes" in _run("benchmark", "--batch", batches, status=2).replace(
        "\n", " "
    )
