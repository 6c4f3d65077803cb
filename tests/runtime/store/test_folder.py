from pathlib import Path

import pytest

from cxr_runtime.errors import StoreError
from cxr_runtime.store.folder import default_output_folder, held


def test_the_output_lies_beside_the_first_input(tmp_path: Path) -> None:
    assert default_output_folder(str(tmp_path / "night")) == tmp_path / "night-cxr-triage"
    assert default_output_folder(f"{tmp_path}/night/") == tmp_path / "night-cxr-triage"
    assert default_output_folder(str(tmp_path / "night.zip")) == tmp_path / "night.zip-cxr-triage"


def test_the_working_folder_has_a_name_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "films").mkdir()
    monkeypatch.chdir(tmp_path / "films")
    assert default_output_folder(".") == tmp_path / "films-cxr-triage"


def test_two_scans_never_share_a_folder(tmp_path: Path) -> None:
    with held(tmp_path / "out"), pytest.raises(StoreError, match="another scan"), held(tmp_path / "out"):
        pass


def test_a_folder_is_free_again_after_a_scan(tmp_path: Path) -> None:
    for _ in range(2):
        with held(tmp_path / "out"):
            assert (tmp_path / "out" / "heatmaps").is_dir()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="--out"), held(tmp_path / "file" / "out"):
        pass
