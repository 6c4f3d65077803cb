"""Without standard streams, or with one that nobody reads, a scan ends as it would have ended anyway."""

import subprocess
import sys
from pathlib import Path

import pytest

from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from model_folders import write_model_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the shell is POSIX's")

START = "from cxr_cli import start; start()"
DONE = "2 films: 1 scored"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two films, one of them bad, which were scanned before: exit status 3."""
    folder = tmp_path_factory.mktemp("streams")
    (folder / "films").mkdir()
    (folder / "films" / "good.png").write_bytes(encode_png(draw_phantom(1, hw=(256, 256))))
    (folder / "films" / "bad.png").write_bytes(b"")
    write_model_folder(folder / "model")
    assert scan(folder, "").returncode == 3
    return folder


def scan(folder: Path, redirection: str, options: str = "") -> subprocess.CompletedProcess[str]:
    """Scan with streams as the shell sets them; the exit status is that of the scan, not of a pipe."""
    command = f"'{sys.executable}' -c '{START}' scan films --model model --backend onnxruntime"
    script = f"{{ {command} {options}; echo $? >status; }} {redirection}"
    done = subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    done.returncode = int((folder / "status").read_text())
    return done


@pytest.mark.parametrize("redirection", ["2>&-", "<&- 2>&-", ">&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_a_scan_needs_no_standard_streams(folder: Path, redirection: str) -> None:
    (folder / "films-cxr-triage" / "results.csv").unlink()
    done = scan(folder, redirection)
    assert done.returncode == 3
    assert (DONE in done.stdout) is (">&- 2" not in redirection and redirection != ">&-")
    assert "scanning films" not in done.stdout
    assert "Traceback" not in done.stderr
    assert len((folder / "films-cxr-triage" / "results.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize("redirection", ["2>&1 | true", "2>&1 | head -1", "| true", "2>&1 >output | true"])
def test_a_reader_who_has_read_enough_changes_no_exit_status(folder: Path, redirection: str) -> None:
    done = scan(folder, redirection)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr + done.stdout


def test_what_was_registered_for_the_end_is_done_and_all_output_is_written() -> None:
    program = (
        "import atexit, sys, cxr_cli, cxr_cli.main\n"
        "def main():\n"
        "    atexit.register(print, 'at the end')\n"
        "    print('x' * 100_000)\n"
        "    sys.exit(3)\n"
        "cxr_cli.main.main = main\n"
        "cxr_cli.start()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stdout == "x" * 100_000 + "\nat the end\n"
    assert not done.stderr


def test_what_a_library_prints_lands_in_no_file_where_a_stream_is_closed(folder: Path) -> None:
    program = (
        "import os\nfrom cxr_cli.streams import mend_streams\nmend_streams()\n"
        "with open('file', 'w'):\n    os.write(1, b'noise')\n    os.write(2, b'noise')\n"
    )
    script = f"'{sys.executable}' -c \"{program}\" <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", script], cwd=folder, check=False).returncode == 0
    assert (folder / "file").read_bytes() == b""


def test_a_full_disk_under_the_output_is_told_once(folder: Path) -> None:
    done = scan(folder, ">/dev/full")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("cxr-triage: the system refused: No space left on device")


def test_a_name_that_the_terminal_cannot_show_is_spelt_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    done = scan(folder, "", "--out 胸")
    assert done.returncode == 3
    assert r"reports in \u80f8" in done.stdout


def test_a_memory_too_small_for_a_scan_is_one_line_that_names_the_limit(folder: Path) -> None:
    limits = "import resource; resource.setrlimit(resource.RLIMIT_AS, (500 << 20, 500 << 20))"
    done = subprocess.run(
        [sys.executable, "-c", f"{limits}; {START}", "scan", "films"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("cxr-triage: too little memory; a process may use 500 MiB of memory here")


def test_what_libraries_warn_of_is_not_shown() -> None:
    program = (
        "import sys, warnings, cxr_cli, cxr_cli.main\n"
        "cxr_cli.main.main = lambda: warnings.warn(\"Invalid value for VR UI: '1.2.03'\")\n"
        "cxr_cli.start()"
    )
    for words, is_shown in (((), False), (("-W", "default"), True)):
        done = subprocess.run(
            [sys.executable, *words, "-c", program], capture_output=True, text=True, check=False
        )
        assert ("1.2.03" in done.stderr) is is_shown
