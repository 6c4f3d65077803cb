import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest

from cxr_cli import main as main_module
from cxr_runtime.errors import StoreError
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.store.store import read_scores
from model_folders import write_model_folder
from processes import running

FILMS = 40
LIMIT = 30.0  # seconds; a batch of one film is given up after 90
HUNG = """
import sys, threading
from cxr_cli.main import main
from cxr_runtime.backends.timed import TimedEngine
from cxr_runtime.scanning import station

class Hung:
    backend = "drawn"
    batch_step = None
    def run(self, batch):
        threading.Event().wait()

score, begun = station.Station._score, []

def scored(self, batch):
    begun.append(score(self, batch))
    if len(begun) == 2:
        print("two batches in hand", flush=True)
    return begun[-1]

station.Station._score = scored
station.opened_engine = lambda *_: TimedEngine(Hung())
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize("ending", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interrupted_scan_exits_130_and_goes_on_later(ending: str, tmp_path: Path) -> None:
    if signal.getsignal(signal.Signals[ending]) is signal.SIG_IGN:
        pytest.skip(f"whoever runs the tests has them ignore {ending}")
    (tmp_path / "films").mkdir()
    film = draw_phantom(3, hw=(256, 256))
    for number in range(FILMS):
        film[0, 0] = number  # no two are the same film
        content = cv2.imencode(".png", film)[1].tobytes()
        (tmp_path / "films" / f"{number:02d}.png").write_bytes(content)
    model = write_model_folder(tmp_path / "m")
    command = [sys.executable, "-c", "from cxr_cli.main import main; main()", "scan", "films", "--out", "out"]
    command += ["--model", str(model), "--backend", "onnxruntime", "--batch-size", "1", "--workers", "1"]
    with running(command, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        while process.poll() is None and not stored_rows(tmp_path / "out"):
            time.sleep(0.005)
        process.send_signal(signal.Signals[ending])
        _, told = process.communicate()
    assert process.returncode == 130
    assert "run the same command again" in told.splitlines()[-1]
    kept = stored_rows(tmp_path / "out")
    assert 0 < kept < FILMS
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"; {kept} finished before" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_scan_whose_network_hangs_ends_at_once_when_it_is_interrupted(tmp_path: Path) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        pytest.skip("whoever runs the tests has them ignore SIGINT")
    for seed in range(3):
        content = cv2.imencode(".png", draw_phantom(seed, hw=(256, 256)))[1].tobytes()
        (tmp_path / f"{seed}.png").write_bytes(content)
    model = write_model_folder(tmp_path / "m")
    command = [sys.executable, "-c", HUNG, "scan", ".", "--out", "out", "--model", str(model)]
    command += ["--batch-size", "1", "--workers", "1"]
    with running(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "two batches in hand\n"
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=LIMIT)
    assert process.returncode == 130
    assert "interrupted" in told.splitlines()[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="a signal of POSIX plays that of Windows")
def test_a_window_of_windows_that_is_closed_is_heard_as_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR1, raising=False)
    before = {number: signal.getsignal(number) for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGHUP)}
    try:
        main_module._end_in_order()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGUSR1)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_command_that_shall_outlive_its_terminal_does() -> None:
    program = (
        "import os, signal\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"  # as nohup leaves it
        "from cxr_cli.commands import app\n"
        "from cxr_cli.main import main\n"
        "@app.command()\n"
        "def lose() -> int:\n"
        "    os.kill(os.getpid(), signal.SIGHUP)\n"
        "    return 0\n"
        "main(['lose'])\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are POSIX's")
def test_an_interrupted_bar_gives_the_terminal_back_its_cursor(tmp_path: Path) -> None:
    import os
    import pty

    program = (
        "from cxr_cli.commands import app\n"
        "from cxr_cli.main import main\n"
        "from cxr_cli.progress import BarProgress\n"
        "@app.command()\n"
        "def stall() -> int:\n"
        "    bar = BarProgress()\n"
        "    bar.begin('stalling', 2)\n"
        "    raise KeyboardInterrupt\n"
        "main(['stall'])\n"
    )
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, stderr=theirs, env=environment, check=False)
    told = os.read(ours, 1 << 16)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 130
    assert told.count(b"\x1b[?25l") == told.count(b"\x1b[?25h") == 1
    assert told.splitlines()[-1].removeprefix(b"\x1b[?25h").startswith(b"cxr-triage: interrupted")


def stored_rows(out: Path) -> int:
    try:
        return len(read_scores(out))
    except StoreError:
        return 0
