"""The image is built of what is there, and is as careful as the page says; the compose file is valid."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cxr_runtime.appliance.settings_file import read_settings

FOLDER = Path(__file__).parents[1] / "container"
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (FOLDER / "compose.yml").read_text(encoding="utf-8")


def final_stage() -> str:
    return DOCKERFILE.rpartition("\nFROM ")[2]


def test_the_image_runs_as_a_user_of_its_own_and_says_how_it_is() -> None:
    stage = final_stage()
    assert re.search(r"^USER 10001:10001$", stage, re.MULTILINE)
    assert re.search(r"^VOLUME \[\"/data\"\]$", stage, re.MULTILINE)
    assert "HEALTHCHECK" in stage
    assert "--health" in stage
    assert "pip" not in stage


def test_what_the_build_needs_is_let_in_and_is_there() -> None:
    listed = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line.removeprefix("!") for line in listed if line.startswith("!")}
    assert listed[0] == "*"
    assert all((FOLDER.parent / name).exists() for name in let_in)
    project = (FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8")
    packages = re.findall(r'^  "(\w+)/cxr_\w+",$', project, re.MULTILINE)
    assert {
        *packages,
        "pyproject.toml",
        "hatch_build.py",
        "constraints.txt",
        "README.md",
        "LICENSE",
    } <= let_in


def test_the_settings_of_the_compose_file_are_right() -> None:
    clinic = read_settings(FOLDER / "clinic.toml")
    assert clinic.out == Path("/data/results")
    for line in ("read_only: true", "cap_drop: [ALL]", '"no-new-privileges:true"', "clinic.toml:ro"):
        assert line in COMPOSE


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not installed")
def test_hadolint_finds_nothing() -> None:
    done = subprocess.run(
        ["hadolint", str(FOLDER / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(shutil.which("check-jsonschema") is None, reason="check-jsonschema is not installed")
@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.compose-spec", FOLDER / "compose.yml"),
        ("vendor.github-workflows", FOLDER.parent / ".github" / "workflows" / "ci.yml"),
    ],
)
def test_a_file_of_others_is_as_their_schema_wants_it(schema: str, file: Path) -> None:
    command = ["check-jsonschema", "--builtin-schema", schema, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
