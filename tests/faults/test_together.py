"""Two scans at once, and a model that changes while a scan runs."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cxr_runtime.model.folder import read_manifest, write_manifest
from fault_scans import SOME_FAILED, Night, goes_on, in_the_middle, result, table, told
from model_folders import write_model_folder


def test_a_second_scan_into_one_folder_is_refused_in_one_line_and_the_first_ends_well(
    night: Night, undisturbed: object, tmp_path: Path
) -> None:
    with in_the_middle(night, tmp_path / "out") as first:
        second = night.scan(tmp_path / "out")
        assert second.returncode == 1
        assert "in use by another scan" in told(second.stderr)
        goes_on(first)
    assert result(tmp_path / "out") == undisturbed


def test_two_scans_of_the_same_films_into_two_folders_end_well(
    night: Night, undisturbed: object, tmp_path: Path
) -> None:
    with in_the_middle(night, tmp_path / "first") as first:
        assert night.scan(tmp_path / "second").returncode == SOME_FAILED
        goes_on(first)
    assert result(tmp_path / "first") == result(tmp_path / "second") == undisturbed


@pytest.mark.parametrize("change", ["another", "damaged", "gone"])
def test_a_scan_uses_the_model_it_has_opened_and_the_next_one_notices_the_change(
    change: str, night: Night, undisturbed: object, tmp_path: Path
) -> None:
    model, out = tmp_path / "changing", tmp_path / "out"
    shutil.copytree(night.folder / "model", model)
    with in_the_middle(night, out, str(model)) as scan:
        match change:
            case "another":
                write_model_folder(model, threshold=0.2)
                manifest = read_manifest(model / "model.json")
                heat = replace(manifest.heat, gain=7.0)
                write_manifest(replace(manifest, heat=heat), model / "model.json")
            case "damaged":
                (model / "model.onnx").write_bytes(bytes(100))
            case "gone":
                shutil.rmtree(model)
        goes_on(scan)
    assert result(out) == undisturbed
    after = subprocess.run(
        night.command(out, model=str(model)), cwd=night.folder, env=night.environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    if change == "another":
        assert after.returncode == SOME_FAILED
        before = re.search(r"(\d+) finished before", after.stdout)
        assert before is None or before[1] == "1"  # a copy of a film that this scan has done
        assert {row["threshold"] for row in table(out)} == {"", "0.200000"}
    else:
        assert after.returncode == 1
        told(after.stderr)
        assert result(out) == undisturbed
