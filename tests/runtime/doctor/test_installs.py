"""Packages, and those that break each other."""

import sys

import pytest

from cxr_runtime.doctor import installs
from cxr_runtime.doctor.finding import State
from cxr_runtime.doctor.installs import (
    check_conflicts,
    check_imports,
    check_packages,
    check_python,
    needed_packages,
)

NEEDED = ["filelock>=3.16", "isal>=1.7", "onnxruntime>=1.20", "opencv-python-headless>=4.10", "tifffile"]
WHOLE = {"filelock": "3.20", "isal": "1.8", "onnxruntime": "1.32", "opencv-python-headless": "5.0",
         "tifffile": "2026.1"}  # fmt: skip


def test_this_python_is_recent_enough() -> None:
    assert check_python().state is State.OK


def test_a_whole_install_is_well() -> None:
    assert check_packages(WHOLE, NEEDED).state is State.OK
    assert check_conflicts(WHOLE).state is State.OK


def test_what_is_needed_is_read_from_the_metadata_without_extras() -> None:
    names = {text.partition(">")[0] for text in needed_packages()}
    assert {"filelock", "isal", "numpy", "onnxruntime", "pydicom", "tifffile", "typer"} <= names
    assert names.isdisjoint({"torch", "onnx", "openvino", "tensorrt", "pytest"})


@pytest.mark.parametrize("name", WHOLE)
def test_a_missing_package_is_named(name: str) -> None:
    installed = {key: version for key, version in WHOLE.items() if key != name}
    finding = check_packages(installed, NEEDED)
    assert finding.state is State.BROKEN
    assert finding.told == f"{name} is missing; install cxr-triage anew"


def test_a_program_that_was_not_installed_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installs, "OURS", "a-package-that-is-not-there")
    assert needed_packages() == []
    finding = check_packages(WHOLE)
    assert finding.state is State.WARNING
    assert "runs without being installed" in finding.told


def test_a_package_that_is_too_old_is_named_with_the_version_that_is_needed() -> None:
    finding = check_packages(WHOLE | {"isal": "1.6"}, NEEDED)
    assert finding.state is State.BROKEN
    assert finding.told == "isal is 1.6, needed is >=1.7; install cxr-triage anew"


@pytest.mark.parametrize(
    ("name", "other"),
    [("onnxruntime", "onnxruntime-gpu"), ("opencv-python-headless", "opencv-contrib-python")],
)
def test_another_build_of_a_library_stands_in_for_it(name: str, other: str) -> None:
    installed = {key: version for key, version in WHOLE.items() if key != name}
    assert check_packages(installed | {other: "1.31"}, NEEDED).state is State.OK


@pytest.mark.parametrize("module", ["isal", "filelock", "cv2"])
def test_a_package_that_is_installed_and_does_not_load_is_named(
    monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    assert check_imports(NEEDED).state is State.OK
    monkeypatch.setitem(sys.modules, module, None)
    finding = check_imports(NEEDED)
    assert finding.state is State.BROKEN
    assert finding.told.startswith(f"{module} does not load (")
    assert finding.told.endswith("): install cxr-triage anew")


def test_both_builds_of_onnxruntime_together_are_recognised_and_the_way_out_is_told() -> None:
    finding = check_conflicts(WHOLE | {"onnxruntime-gpu": "1.31"})
    assert finding.state is State.WARNING
    assert finding.told == (
        "onnxruntime and onnxruntime-gpu overwrite each other: "
        "`pip uninstall onnxruntime onnxruntime-gpu`, then install one"
    )


def test_two_builds_of_opencv_are_recognised() -> None:
    assert "opencv-python" in check_conflicts(WHOLE | {"opencv-python": "5.0"}).told
