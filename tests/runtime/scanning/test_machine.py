"""What the machine does to a scan, and never to the standing of a film: shares, limits, homes, devices."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cxr_runtime.errors import UsageError
from cxr_runtime.files import DEFAULT_FORMATS, ReportFormat
from cxr_runtime.outcome import Status
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from cxr_runtime.scanning import station
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.scan import ScanSummary, scan
from cxr_runtime.workers.pool import WorkerPool
from model_folders import write_model_folder

# A worker that does to films whose name tells so what a machine does to them, while `bad-day` is there.
BAD_DAY = """
import os, signal, time
from pathlib import Path
from cxr_runtime.scanning.answers import Examining

class BadDay(Examining):
    def pack(self, task):
        order, descriptor = super().pack(task)
        is_bad = Path({folder!r}, "bad-day").exists()
        return (Path(task.place.file).stem if is_bad else "", order), descriptor

    def do(self, packed, descriptor):
        name, order = packed
        if name == "stalled":
            time.sleep(600)
        if name == "large":
            raise MemoryError
        if name == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().do(order, descriptor)
"""


@pytest.fixture
def films(tmp_path: Path) -> Path:
    films = tmp_path / "films"
    films.mkdir()
    for number, name in enumerate(("good", "killed", "large", "stalled")):
        (films / f"{name}.png").write_bytes(encode_png(draw_phantom(number, hw=(256, 256))))
    return films


@pytest.fixture
def again(films: Path, tmp_path: Path) -> Callable[[], ScanSummary]:
    """Scans the films into tmp_path/out."""
    model = write_model_folder(tmp_path / "model")
    formats = frozenset({ReportFormat.CSV, ReportFormat.PNG})
    options = ScanOptions(tmp_path / "out", model, "onnxruntime", workers=1, formats=formats)
    return partial(scan, [films], options)


def codes(summary: ScanSummary) -> dict[str, str]:
    return {Path(outcome.file).stem: outcome.code for outcome in summary.outcomes()}


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_what_the_machine_did_to_a_film_is_a_row_and_is_tried_again_in_the_next_run(
    again: Callable[[], ScanSummary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad_day.py").write_text(BAD_DAY.format(folder=str(tmp_path)))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(station, "Examining", import_module("bad_day").BadDay)
    limits = WorkerPool.__init__.__kwdefaults__
    assert limits is not None
    monkeypatch.setitem(limits, "seconds", 10.0)
    (tmp_path / "bad-day").touch()
    first = again()
    assert codes(first) == {
        "good": "", "killed": "decoder-killed", "large": "decoder-memory", "stalled": "decoder-timeout",
    }  # fmt: skip
    assert all(
        "tried again in the next run" in outcome.message
        for outcome in first.outcomes()
        if outcome.status is Status.FAILED
    )
    (tmp_path / "bad-day").unlink()
    second = again()
    assert second.finished_before == 1
    assert codes(second) == dict.fromkeys(codes(first), "")
    assert len((tmp_path / "out" / "results.csv").read_text().splitlines()) == 5
    assert again().finished_before == 4


@pytest.mark.skipif(
    shutil.which("setpriv") is None or os.getuid() != 0, reason="only root may become a user without an entry"
)
def test_a_user_whom_the_system_does_not_know_scans_without_a_home() -> None:
    user = 54321
    with TemporaryDirectory() as name:  # pytest's own folders are open to its user only
        folder = Path(name)
        for own in (folder, folder / "temporary", folder / "films"):
            own.mkdir(exist_ok=True)
            os.chown(own, user, user)
        (folder / "films" / "film.png").write_bytes(encode_png(draw_phantom(1, hw=(256, 256))))
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        become += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]  # reads this Python
        program = "from cxr_cli import start; start()"
        homes = ("HOME", "XDG", "CXR", "USER", "LOGNAME")
        kept = {name: text for name, text in os.environ.items() if not name.startswith(homes)}
        done = subprocess.run(
            [*become, sys.executable, "-c", program, "scan", "films"], cwd=folder,
            env=kept | {"TMPDIR": f"{folder}/temporary"}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("1 film: 1 scored")
        assert [path.name for path in (folder / "temporary").iterdir()] == [f"cxr-triage-{user}"]


def test_an_output_folder_on_another_device_than_temporary_files_gets_every_report(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is made among temporary files, or in any other folder, and then moved: devices refuse that."""
    move = os.replace

    def within_a_folder(source: str | Path, target: str | Path) -> None:
        if Path(source).parent != Path(target).parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(source), None, str(target))
        move(source, target)

    monkeypatch.setattr(os, "replace", within_a_folder)
    monkeypatch.setattr(os, "rename", within_a_folder)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no-such-folder"))
    model, everything = write_model_folder(tmp_path / "model"), frozenset(ReportFormat)
    summary = scan([films], ScanOptions(tmp_path / "out", model, "onnxruntime", formats=everything))
    assert (summary.tally.scored, summary.refused) == (4, {})
    assert len(list((tmp_path / "out" / "heatmaps").iterdir())) == 8  # png and npz


def test_a_scan_of_no_inputs_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="no INPUT is given"):
        scan([])


@pytest.mark.parametrize("kind", [str, Path])
def test_one_input_need_not_be_in_a_list(
    kind: type[str] | type[Path], films: Path, again: Callable[[], ScanSummary], tmp_path: Path
) -> None:
    again()
    options = ScanOptions(tmp_path / "out", tmp_path / "model", "onnxruntime", formats=frozenset())
    summary = scan(kind(films), options)
    assert (summary.tally.films, summary.finished_before) == (4, 4)


def test_two_members_of_one_name_are_two_rows_and_a_second_run_finds_both(
    films: Path, tmp_path: Path
) -> None:
    night = tmp_path / "night.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(night, "w") as archive:
        warnings.simplefilter("ignore")
        for film in ("good", "large"):
            archive.write(films / f"{film}.png", "film.png")
    model = write_model_folder(tmp_path / "model")
    options = ScanOptions(tmp_path / "out", model, "onnxruntime", formats=DEFAULT_FORMATS)
    rows = list(scan(night, options).outcomes())
    assert [row.file for row in rows] == [f"{night}!film.png", f"{night}!film.png (2)"]
    digests = [sha256((films / f"{film}.png").read_bytes()).hexdigest() for film in ("good", "large")]
    assert [row.sha256 for row in rows] == digests
    assert len(list((tmp_path / "out" / "heatmaps").glob("*.png"))) == 2
    second = scan(night, options)
    assert (second.finished_before, list(second.outcomes())) == (2, rows)
