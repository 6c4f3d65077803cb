"""A model's JSON files say by a digest that they are whole, and by a seal that this machine made them."""

import json
import os
from pathlib import Path

import pytest

from cxr_runtime.errors import CalibrationError, ModelError
from cxr_runtime.model.folder import open_model
from cxr_runtime.model.own_digest import DIGEST, SEAL, mark_of, marked
from cxr_runtime.seals import Sealer
from model_folders import write_model_folder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_TRIAGE_DATA", str(tmp_path / "data"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = write_model_folder(tmp_path / "m")
    path = folder / "calibration.json"
    path.write_text(marked(path.read_text(), Sealer.of_this_machine()))
    return folder


def test_a_digest_is_of_the_content_and_not_of_its_layout() -> None:
    text = marked('{"b": 0.1, "a": [1, 2.50]}', None)
    assert mark_of(text.encode()).has_digest
    stated = json.loads(text)
    assert mark_of(json.dumps(stated, sort_keys=True, indent=7).encode()).has_digest
    assert marked(text, None) == text


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_a_content_that_was_changed_is_refused(name: str) -> None:
    stated = json.loads(marked('{"a": 1, "b": {"x": [true]}}', None))
    stated[name] = "changed"
    with pytest.raises(ValueError, match="its content was changed"):
        mark_of(json.dumps(stated).encode())


@pytest.mark.parametrize("text", ["[]", "1", "{", "[" * 100_000, '{"content_sha256": 7}'])
def test_what_is_not_an_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        mark_of(text.encode())


def test_a_model_of_this_machine_and_one_of_this_program_need_no_remark(folder: Path) -> None:
    assert open_model(folder).remarks == ()
    assert open_model("default").remarks == ()


def test_a_model_from_elsewhere_says_so(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_TRIAGE_DATA", str(tmp_path / "another machine"))
    assert open_model(folder).remarks == ("model.json and calibration.json not made on this machine",)


def test_a_model_of_0_1_0_is_used_and_the_report_says_that_it_bears_no_digest(folder: Path) -> None:
    for name in ("model.json", "calibration.json"):
        stated = json.loads((folder / name).read_text())
        del stated[DIGEST], stated[SEAL]
        (folder / name).write_text(json.dumps(stated))
    first, second = open_model(folder).remarks
    assert first == "model.json and calibration.json not made on this machine"
    assert second == "model.json and calibration.json without a digest"


@pytest.mark.parametrize(
    ("name", "field", "error"),
    [
        ("model.json", "licence", ModelError),
        ("model.json", "training", ModelError),
        ("calibration.json", "temperature", CalibrationError),
        ("calibration.json", "made", CalibrationError),
    ],
)
def test_a_field_that_was_changed_by_hand_is_refused_in_one_line(
    folder: Path, name: str, field: str, error: type[ModelError]
) -> None:
    stated = json.loads((folder / name).read_text())
    values = {"temperature": 2.0, "training": {"films": 3}}
    stated[field] = values.get(field, "another text")
    (folder / name).write_text(json.dumps(stated))
    with pytest.raises(error, match="its content was changed") as refused:
        open_model(folder)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_status == 1


@pytest.mark.skipif(os.name != "posix", reason="needs pipes")
@pytest.mark.parametrize("name", ["model.onnx", "calibration.json"])
def test_a_pipe_in_a_model_folder_is_not_waited_for(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(ModelError):
        open_model(folder)


@pytest.mark.parametrize("name", ["model.json", "calibration.json"])
def test_a_file_that_is_larger_than_any_of_ours_is_not_read(folder: Path, name: str) -> None:
    with (folder / name).open("r+b") as file:
        file.truncate(1 << 30)
    with pytest.raises(ModelError, match="1024 MiB, expected at most 16"):
        open_model(folder)
