"""Nothing leaves the machine: a whole scan is watched by strace, system call by system call."""

import ast
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from dicom_archives import free_port, needs_dcmtk, storescp
from dicom_peers import film, store
from drawn_stores import Drawn, write_store
from processes import PATIENCE, running, wait_until
from served_rooms import Browser
from study_films import study_film

ROOT = Path(__file__).parents[2]
FILMS = 300
DRAWN = 10  # different films; the others are these with another grey in a corner
REPORTING = ("onnxruntime", "openvino", "openvino_telemetry")
CALLS = "network,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat"
KEPT = {Path(name) for name in (".cache", ".local", ".local/share/cxr-triage/keys/seal.key")}
STRACE = ("strace", "-ff", "-y", "-e", f"trace={CALLS}")
PROGRAM = (sys.executable, "-c", "from cxr_cli import start; start()")
NO_FILES = ("/dev/", "/proc/", "socket:[")
FOLDER = r"(?:AT_FDCWD|\d+)<(?P<folder>[^>]*)>, "
MADE = re.compile(rf'^(?P<call>\w+)\((?:{FOLDER})?"(?P<name>[^"]*)"')
CAN_TRACE = shutil.which("strace") is not None and (
    subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0
)
PACKAGES = ("runtime", "calibration", "train", "export", "cli")


@pytest.mark.skipif(not CAN_TRACE, reason="strace is not installed, or may not trace here")
def test_a_scan_opens_no_socket_to_a_network_and_writes_into_its_output_and_our_folders_only(
    tmp_path: Path,
) -> None:
    for name in ("films", "home/.cache", "home/.local/share", "temporary", "calls"):
        (tmp_path / name).mkdir(parents=True)
    draw_films(tmp_path / "films")
    calls = traced_scan(tmp_path)
    assert len(calls) > FILMS  # the tracer saw the workers, who open each film
    assert [call for call in calls if "AF_INET" in call] == []
    places = ("out", "home/.cache/cxr-triage", "home/.local/share/cxr-triage", "temporary")
    own = [tmp_path / name for name in places]
    assert [path for path in written(calls) if not any(path.is_relative_to(place) for place in own)] == []
    assert list((tmp_path / "temporary").iterdir()) == []
    of_home = {path.relative_to(tmp_path / "home") for path in (tmp_path / "home").rglob("*.*")}
    assert {path for path in of_home if path.parts[:2] != (".cache", "cxr-triage")} == KEPT


@pytest.mark.skipif(not CAN_TRACE, reason="strace is not installed, or may not trace here")
def test_an_appliance_that_watches_opens_no_socket_to_a_network(tmp_path: Path) -> None:
    for name in ("films", "home/.cache", "home/.local/share", "temporary", "calls"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "films" / "1.png").write_bytes(encode_png(draw_phantom(1, hw=(256, 256))))
    (tmp_path / "clinic.toml").write_text(
        f"out = '{tmp_path}/out'\n[watch]\nfolders = ['{tmp_path}/films']\n[health]\nevery_seconds = 0.2\n"
        "[disk]\nstop_below = '1M'\n[retention]\npictures_for = '1y'\n"
    )
    command = [*STRACE, "-o", f"{tmp_path}/calls/of", *PROGRAM, "appliance", f"{tmp_path}/clinic.toml"]
    with running(command, cwd=tmp_path, env=variables(tmp_path), stderr=subprocess.PIPE) as process:
        wait_until(lambda: health_of(tmp_path).get("films") == 1)
        os.kill(health_of(tmp_path)["process"], signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    calls = calls_in(tmp_path / "calls")
    assert len(calls) > 100
    assert [call for call in calls if "AF_INET" in call] == []


@needs_dcmtk
@pytest.mark.skipif(not CAN_TRACE, reason="strace is not installed, or may not trace here")
def test_an_appliance_that_listens_and_sends_opens_its_own_port_and_speaks_to_its_archive_alone(
    tmp_path: Path,
) -> None:
    for name in ("home/.cache", "home/.local/share", "temporary", "calls"):
        (tmp_path / name).mkdir(parents=True)
    port, archive = free_port(), free_port()
    (tmp_path / "clinic.toml").write_text(
        f"out = '{tmp_path}/out'\nidentity = 'none'\n[listen]\nport = {port}\n"
        f"[send]\nto = 'PACS@127.0.0.1:{archive}'\n[health]\nevery_seconds = 0.2\n"
        "[disk]\nstop_below = '1M'\n[screening]\nworkers = 1\n[retention]\nresults_for = '30d'\n"
    )
    command = [*STRACE, "-o", f"{tmp_path}/calls/of", *PROGRAM, "appliance", f"{tmp_path}/clinic.toml"]
    with (
        storescp(tmp_path / "pacs", archive),
        running(command, cwd=tmp_path, env=variables(tmp_path), stderr=subprocess.PIPE) as process,
    ):
        wait_until(lambda: health_of(tmp_path).get("state") == "well")
        assert store(port, dcmread(BytesIO(study_film(1)))) == [0]
        wait_until(lambda: len(list((tmp_path / "pacs").iterdir())) == 3)
        os.kill(health_of(tmp_path)["process"], signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    # Port 0 names nobody: so the system is asked for an address or a port of this machine's own.
    calls = [call for call in calls_in(tmp_path / "calls") if "AF_INET" in call and "htons(0)" not in call]
    reached = {
        (call.partition("(")[0], *re.findall(r'htons\((\d+)\).*inet_addr\("([^"]+)"\)', call))
        for call in calls
        if call.startswith(("bind(", "connect(", "send"))
    }
    assert reached == {("bind", (str(port), "127.0.0.1")), ("connect", (str(archive), "127.0.0.1"))}


@contextmanager
def traced_service(folder: Path, arguments: Sequence[str]) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """A service under strace, and its process."""
    start = "import os; print(os.getpid(), flush=True); from cxr_cli import start; start()"
    command = [*STRACE, "-o", f"{folder}/calls/of", sys.executable, "-c", start, *arguments]
    with running(
        command, cwd=folder, env=variables(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        assert run.stdout is not None
        yield run, int(run.stdout.readline())


def health_of(folder: Path) -> dict[str, Any]:
    """What the appliance last wrote of itself; nothing if it has not."""
    path = folder / "out" / "health.json"
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def calls_in(folder: Path) -> list[str]:
    """The system calls of all processes."""
    return [line for file in folder.iterdir() for line in file.read_text().splitlines()]


@pytest.mark.skipif(not CAN_TRACE, reason="strace is not installed, or may not trace here")
def test_a_receiver_opens_the_one_socket_that_it_is_to_listen_at(tmp_path: Path) -> None:
    for name in ("home/.cache", "home/.local/share", "temporary", "calls"):
        (tmp_path / name).mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    listen = ("listen", "--out", f"{tmp_path}/out", "--port", str(port), "--workers", "1")
    with traced_service(tmp_path, listen) as (run, number):
        assert run.stderr is not None
        said = iter(run.stderr)
        assert any(" listening " in line for line in said)
        assert store(port, film(1)) == [0]
        assert any(" film " in line for line in said)
        os.kill(number, signal.SIGTERM)
        rest = "".join(said)
    assert run.returncode == 0, rest
    calls = [call for call in calls_in(tmp_path / "calls") if "AF_INET" in call]
    names = [call.partition("(")[0] for call in calls]
    assert (names.count("socket"), names.count("bind"), names.count("connect")) == (1, 1, 0)
    assert [name for name in names if name.startswith("send")] == []
    (bound,) = [call for call in calls if call.startswith("bind(")]
    assert f"htons({port})" in bound
    assert "127.0.0.1" in bound


@pytest.mark.skipif(not CAN_TRACE, reason="strace is not installed, or may not trace here")
def test_a_server_opens_the_one_socket_that_it_is_to_listen_at(tmp_path: Path) -> None:
    for name in ("home/.cache", "home/.local/share", "temporary", "calls"):
        (tmp_path / name).mkdir(parents=True)
    write_store(tmp_path / "out", [Drawn("a.png", 0.9)])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve = ("serve", f"{tmp_path}/out", "--port", str(port))
    with traced_service(tmp_path, serve) as (run, number):
        assert run.stderr is not None
        assert "open http://127.0.0.1" in run.stderr.readline()
        browser = Browser(port).load()
        key = browser.get("/rows").text.partition('data-key="')[2].partition('"')[0]
        assert [browser.get(path).status for path in (f"/film/{key}", f"/film/{key}/pixels", "/tally")] == [
            200, 404, 200,
        ]  # fmt: skip
        os.kill(number, signal.SIGTERM)
        rest = run.stderr.read()
    assert run.returncode == 0, rest
    calls = [call for call in calls_in(tmp_path / "calls") if "AF_INET" in call]
    names = [call.partition("(")[0] for call in calls]
    assert (names.count("socket"), names.count("bind"), names.count("connect")) == (1, 1, 0)
    (bound,) = [call for call in calls if call.startswith("bind(")]
    assert f"htons({port})" in bound
    assert "127.0.0.1" in bound


def traced_scan(folder: Path) -> list[str]:
    """The system calls of a scan of folder/films with every default report, workers included."""
    scan = ("scan", f"{folder}/films", "--out", f"{folder}/out", "--workers", "2")
    command = [*STRACE, "-o", f"{folder}/calls/of", *PROGRAM, *scan]
    run = subprocess.run(
        command, cwd=folder, env=variables(folder), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return calls_in(folder / "calls")


def draw_films(folder: Path) -> None:
    drawn = [draw_phantom(number, hw=(256, 256)) for number in range(DRAWN)]
    for number in range(FILMS):
        film = drawn[number % DRAWN].copy()
        film[0, : 1 + number // DRAWN] = 90
        (folder / f"{number:03}.png").write_bytes(encode_png(film))


def variables(folder: Path) -> dict[str, str]:
    """The environment of a clinic's user: a home of his own, and nothing that silences a library."""
    loud = ("ORT_", "CI", "XDG_", "CXR_", "TF_BUILD", "JENKINS")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(loud)}
    return kept | {"HOME": str(folder / "home"), "TMPDIR": str(folder / "temporary")}


def written(calls: list[str]) -> Iterator[Path]:
    """Every file, folder or link that was made, and every file that was opened for writing."""
    for call in calls:
        found = MADE.match(call)
        if found is None or " = -1 " in call:
            continue
        if found["call"].startswith("open") and not re.search("O_WRONLY|O_RDWR|O_CREAT", call):
            continue
        path = Path(found["folder"] or "/", found["name"])
        if not str(path).startswith(NO_FILES):
            yield path


def test_libraries_that_report_to_their_vendors_are_imported_in_one_place_only() -> None:
    files = [file for folder in PACKAGES for file in (ROOT / folder).rglob("*.py")]
    assert [file for file in files if set(imported(file)) & set(REPORTING)] == []


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("first", ["cxr_runtime", "cxr_runtime.film", "cxr_runtime.workers.worker_child"])
def test_whatever_of_the_program_is_imported_first_silences_onnx_runtime(first: str) -> None:
    program = f"import os, {first}; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"ORT_DISABLE_TELEMETRY": "0"},
        capture_output=True,
        check=True,
    )
    assert run.stdout.split() == [b"1"]


def test_openvino_is_loaded_without_its_reporter() -> None:
    pytest.importorskip("openvino", reason="OpenVINO is an extra")
    program = (
        "import sys; from cxr_runtime.offline import load; load('openvino');"
        "from openvino.tools.ovc import telemetry_utils; print(telemetry_utils.tm.__name__)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["openvino.tools.ovc.telemetry_stub"]
