"""The wheel, built through the sdist, works without the checkout."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email.parser import BytesParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def build(out: Path, **environment: str) -> Path:
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("dist"))


def linked_and_named(page: Path) -> set[str]:
    """Files of the project that a page links to, or names by its path from the root."""
    text = page.read_text(encoding="utf-8")
    linked = {
        page.parent / target for target in re.findall(r"\]\((?!https?:)([^)#]+)", text) if target[-1] != "/"
    }
    named = {
        ROOT / path
        for path in re.findall(r"`(?!\.\.)([\w.-]+(?:/[\w.-]+)+)`", text)
        if (ROOT / path).is_file()
    }
    return {str(file.resolve().relative_to(ROOT)) for file in linked | named if not file.is_dir()}


def test_the_sdist_carries_what_the_pages_link_to_and_name_and_what_its_tests_read(wheel: Path) -> None:
    with tarfile.open(next(wheel.parent.glob("*.tar.gz"))) as archive:
        carried = {name.partition("/")[2] for name in archive.getnames()}
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    wanted = {file for page in pages for file in linked_and_named(page)}
    assert {"CONTRIBUTING.md", "docs/architecture.md", ".github/workflows/ci.yml"} <= wanted
    read = {".pre-commit-config.yaml", "container/Dockerfile", "tests/conftest.py"}
    assert (wanted | read) - carried == set()


def requirements(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        stated = BytesParser().parsebytes(archive.read(name)).get_all("Requires-Dist", [])
    return [str(line) for line in stated]


def base_names(wheel: Path) -> set[str]:
    return {line.split(">")[0] for line in requirements(wheel) if "extra ==" not in line}


def test_the_base_install_needs_no_torch_no_gpu_and_no_gui_library(wheel: Path) -> None:
    names = base_names(wheel)
    assert {"onnxruntime", "opencv-python-headless", "numpy", "pydicom"} <= names
    assert names.isdisjoint({"torch", "opencv-python", "onnxruntime-gpu", "tensorrt", "pycuda", "matplotlib"})


def test_a_gpu_install_takes_the_gpu_build_of_onnxruntime_instead(tmp_path: Path) -> None:
    names = base_names(build(tmp_path, CXR_TRIAGE_ONNXRUNTIME="gpu"))
    assert "onnxruntime-gpu" in names
    assert "onnxruntime" not in names


def test_the_wheel_carries_the_default_model_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for part in ("model.onnx", "model.json", "calibration.json", "card.md", "LICENSE"):
        assert f"cxr_runtime/models/default/{part}" in names
    assert [name for name in names if name.endswith("model.onnx")] == [
        "cxr_runtime/models/default/model.onnx"
    ]
    assert not [name for name in names if "tests/" in name]


def test_the_wheel_carries_the_parts_of_its_pages_and_their_fonts(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for package, kinds in {
        "runtime": ("html", "css", "js", "ttf", "mo"),
        "calibration": ("html", "css", "svg"),
    }.items():
        for kind in kinds:
            parts = {str(path.relative_to(ROOT / package)) for path in (ROOT / package).rglob(f"*.{kind}")}
            assert parts
            assert parts <= names


def test_a_fresh_environment_scans_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "environment"
    venv.create(home, with_pip=False)
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    dependencies = sysconfig.get_path("purelib")
    (site / "dependencies.pth").write_text(dependencies + "\n")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(python), "-c", "from cxr_cli.main import main; main()", *arguments]
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment
        )

    assert "scan" in run("--help").stdout
    done = run("scan", str(ROOT / "examples"), "--out", "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "worklist.html").stat().st_size > 10_000
