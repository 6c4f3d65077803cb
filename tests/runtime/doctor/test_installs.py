"""Packages, and those that break each other."""

import pytest

from cxr_runtime.doctor.finding import State
from cxr_runtime.doctor.installs import NEEDED, check_conflicts, check_packages, check_python

WHOLE = dict.fromkeys((*NEEDED, "onnxruntime"), "1.0")


def test_this_python_is_recent_enough() -> None:
    assert check_python().state is State.OK


def test_a_whole_install_is_well() -> None:
    assert check_packages(WHOLE).state is State.OK
    assert check_conflicts(WHOLE).state is State.OK


@pytest.mark.parametrize("name", [*NEEDED, "onnxruntime"])
def test_a_missing_package_is_named(name: str) -> None:
    installed = {key: version for key, version in WHOLE.items() if key != name}
    finding = check_packages(installed)
    assert finding.state is State.BROKEN
    assert f"missing: {name};" in finding.told


def test_the_gpu_build_of_onnxruntime_stands_in_for_the_other() -> None:
    installed = {key: version for key, version in WHOLE.items() if key != "onnxruntime"}
    assert check_packages(installed | {"onnxruntime-gpu": "1.31"}).state is State.OK


def test_both_builds_of_onnxruntime_together_are_recognised_and_the_way_out_is_told() -> None:
    finding = check_conflicts(WHOLE | {"onnxruntime-gpu": "1.31"})
    assert finding.state is State.WARNING
    assert finding.told == (
        "onnxruntime and onnxruntime-gpu overwrite each other: "
        "`pip uninstall onnxruntime onnxruntime-gpu`, then install one"
    )


def test_two_builds_of_opencv_are_recognised() -> None:
    assert "opencv-python" in check_conflicts(WHOLE | {"opencv-python": "5.0"}).told
