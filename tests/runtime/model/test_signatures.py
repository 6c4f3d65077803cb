"""A signed model folder is known by who signed it, and by every byte; --require-signed takes no other."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cxr_runtime.errors import CalibrationError, ModelError, UsageError
from cxr_runtime.files import CALIBRATION_FILE, MANIFEST_FILE, MODEL_FILE
from cxr_runtime.folders import DATA_VARIABLE
from cxr_runtime.model.folder import open_model
from cxr_runtime.model.signatures import SIGNATURE_FILE, new_key, sign, signer_of, signers_folder
from model_folders import write_model_folder


@pytest.fixture
def signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that `anna` has signed, whose key is trusted here."""
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))
    public = new_key(tmp_path / "key")
    signers_folder().mkdir(parents=True)
    (signers_folder() / "anna.pub").write_text(public + "\n")
    folder = write_model_folder(tmp_path / "model")
    sign(folder, tmp_path / "key")
    return folder


def test_a_signed_folder_opens_and_says_who_signed_it(signed: Path) -> None:
    model = open_model(signed, require_signed=True)
    assert "signed by anna" in model.remarks
    assert signer_of(signed) == "anna"


def test_the_key_is_for_its_owner_alone_and_is_never_replaced(signed: Path, tmp_path: Path) -> None:
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
    with pytest.raises(UsageError, match="is there already"):
        new_key(tmp_path / "key")
    assert signed


@pytest.mark.parametrize("name", [MODEL_FILE, MANIFEST_FILE, CALIBRATION_FILE])
def test_a_file_that_changed_is_named_with_or_without_the_option(signed: Path, name: str) -> None:
    (signed / name).write_bytes((signed / name).read_bytes() + b"\n")
    for require_signed in (True, False):
        with pytest.raises(ModelError, match=f"{name} in .* changed since the folder was signed"):
            open_model(signed, require_signed=require_signed)


def changed(field: str, value: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        stated = json.loads((folder / SIGNATURE_FILE).read_text())
        (folder / SIGNATURE_FILE).write_text(json.dumps({**stated, field: value}))

    return change


@pytest.mark.parametrize(
    "change",
    [
        changed("signature", "00" * 64), changed("signature", "xx"), changed("signer", "00" * 32),
        changed("files", {}), changed("files", [1]),
        lambda folder: (folder / SIGNATURE_FILE).write_text("no JSON"),
    ],
)  # fmt: skip
def test_a_signature_that_was_changed_opens_nothing(signed: Path, change: Callable[[Path], None]) -> None:
    change(signed)
    with pytest.raises(ModelError, match="is not a signature"):
        open_model(signed)


def test_a_signed_file_that_is_missing_is_named_and_one_that_nobody_uses_may_be_added(signed: Path) -> None:
    (signed / "notes.txt").write_text("seen")
    open_model(signed, require_signed=True)
    (signed / CALIBRATION_FILE).unlink()
    with pytest.raises(ModelError, match=f"{CALIBRATION_FILE} in .* changed since the folder was signed"):
        open_model(signed, allow_uncalibrated=True)


def test_a_signature_of_a_stranger_is_no_signature(signed: Path, tmp_path: Path) -> None:
    new_key(tmp_path / "other")
    sign(signed, tmp_path / "other")
    assert signer_of(signed) is None
    assert "signed by anna" not in open_model(signed).remarks
    with pytest.raises(ModelError, match="bears no signature of anybody whose key is in"):
        open_model(signed, require_signed=True)


def test_a_folder_without_a_signature_opens_only_without_the_option(signed: Path) -> None:
    (signed / SIGNATURE_FILE).unlink()
    open_model(signed)
    with pytest.raises(ModelError, match="leave out --require-signed"):
        open_model(signed, require_signed=True)


def test_the_model_of_the_program_needs_no_signature(signed: Path) -> None:
    assert open_model("default", require_signed=True).folder.name == "default"
    assert signed


def test_a_calibration_from_elsewhere_is_not_signed(signed: Path, tmp_path: Path) -> None:
    (tmp_path / "calibration").mkdir()
    content = json.loads((signed / CALIBRATION_FILE).read_text())
    content.pop("made_here", None)
    (tmp_path / "calibration" / CALIBRATION_FILE).write_text(json.dumps(content))
    open_model(signed, calibration=tmp_path / "calibration")
    with pytest.raises(CalibrationError, match="was not made on this machine"):
        open_model(signed, calibration=tmp_path / "calibration", require_signed=True)
