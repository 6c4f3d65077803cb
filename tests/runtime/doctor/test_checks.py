"""Everything in turn."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cxr_runtime.backends.nvidia.driver import Gpu
from cxr_runtime.backends.registry import BACKENDS
from cxr_runtime.doctor import hardware, inference
from cxr_runtime.doctor.checks import check_everything
from cxr_runtime.doctor.finding import Finding, State, can_scan
from cxr_runtime.errors import BackendError
from cxr_runtime.scanning import station
from cxr_runtime.workers.sandbox import Protection
from cxr_runtime.workers.tasks import Plain
from model_folders import write_model_folder

pytestmark = pytest.mark.usefixtures("own_cache")


def _by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_every_part_is_looked_at_once_and_told_in_one_line() -> None:
    findings = check_everything("a model that is not there")
    names = [finding.name for finding in findings]
    assert len(names) == len(set(names))
    assert {"python", "packages", "conflicts", "gpu", "tensorrt", "codecs", "fonts", "disk"} <= set(names)
    assert not any("\n" in finding.told for finding in findings)


def test_a_model_that_cannot_be_opened_means_that_no_scan_works() -> None:
    findings = check_everything("a model that is not there")
    assert not can_scan(findings)
    assert "cannot be tested: no model at" in _by_name(findings)["backends"].told


def test_a_package_that_does_not_load_hides_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("cxr_runtime.doctor.installs")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cxr_runtime.reading.dicom.syntaxes", None)
    found = _by_name(check_everything("a model that is not there"))
    assert found["codecs"].state is State.BROKEN
    assert "cannot be looked at: " in found["codecs"].told
    assert found["disk"].state is State.OK


def test_what_is_absent_or_to_be_put_right_stops_no_scan() -> None:
    findings = [Finding("gpu", State.ABSENT, "none"), Finding("disk", State.WARNING, "little")]
    assert can_scan(findings)
    assert not can_scan([*findings, Finding("models", State.BROKEN, "none")])


def test_a_gpu_is_told_with_driver_and_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = Gpu(0, "NVIDIA H100", "9.0", 80 * 10**9, "580.82", "13.0")
    monkeypatch.setattr(hardware, "find_gpus", lambda: [gpu])
    finding = hardware.check_gpu()
    assert finding.state is State.OK
    assert finding.told == "NVIDIA H100 (80 GB, compute capability 9.0); driver 580.82, CUDA 13.0"


def test_a_machine_without_a_driver_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> list[Gpu]:
        raise BackendError("no NVIDIA driver on this machine")

    monkeypatch.setattr(hardware, "find_gpus", none)
    assert hardware.check_gpu() == Finding("gpu", State.ABSENT, "no NVIDIA driver on this machine")


def test_little_space_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "LEAST_FREE", 10**18)
    assert hardware.check_disk().state is State.WARNING


def test_every_backend_is_tested_or_its_absence_explained(tmp_path: Path) -> None:
    found = _by_name(check_everything(str(write_model_folder(tmp_path / "model"))))
    assert {f"backend {name}" for name in BACKENDS} <= set(found)
    reference = found["backend onnxruntime"]
    assert reference.state is State.OK
    assert reference.told.startswith("onnxruntime-cpu agrees (logits ")
    assert found["backend tensorrt"].state in (State.OK, State.ABSENT)


def test_a_drawn_film_passes_through_a_real_worker() -> None:
    assert inference.check_worker().state is State.OK


def test_a_worker_that_cannot_start_is_told_with_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(station, "Examining", lambda: Plain("a_library_that_is_not_there:examine"))
    finding = inference.check_worker()
    assert finding.state is State.BROKEN
    assert finding.told.startswith("a_library_that_is_not_there is missing or does not load")
    assert finding.told.endswith("install cxr-triage anew")


def test_a_worker_that_dies_is_told_with_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os; os.write(2, b'no room'); os._exit(7)")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    finding = inference.check_worker()
    assert finding.state is State.BROKEN
    assert "it ended with status 7 before its first film, saying: no room" in finding.told


@pytest.mark.skipif(sys.platform == "win32", reason="limits of memory are POSIX's")
@pytest.mark.parametrize("megabytes", [250, 450])
def test_too_little_memory_is_the_only_thing_that_is_told(megabytes: int) -> None:
    limits = (
        f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({megabytes} << 20, {megabytes} << 20))"
    )
    program = f"{limits}\nfrom cxr_cli import start; start()"
    done = subprocess.run(
        [sys.executable, "-c", program, "doctor"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    told = f"memory broken too little memory; a process may use {megabytes} MiB"
    assert " ".join(done.stdout.split()).startswith(told)


def test_a_film_without_a_score_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cxr_runtime.pictures.encode_png", lambda _pixels: b"no film")
    finding = inference.check_worker()
    assert finding.state is State.BROKEN
    assert finding.told.startswith("a drawn film got no score: the file is text")


def test_a_system_without_a_sandbox_is_told_but_can_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "protection", Protection)
    assert hardware.check_sandbox().state is State.ABSENT
    monkeypatch.setattr(hardware, "protection", lambda: Protection(6, seccomp=True))
    assert hardware.check_sandbox() == Finding(
        "sandbox", State.OK, "films are read in processes confined by landlock 6, seccomp"
    )
