"""No code from the medium: whatever lies in the folder that the program is started in, nothing of it runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from model_folders import write_model_folder

ROOT = Path(__file__).parents[2]
SOURCES = [str(ROOT / package) for package in ("runtime", "calibration", "train", "export", "cli")]

# What our own processes, and the children of libraries, import: of Python, of libraries and of ours.
HOSTILE = (
    "threading types typing re signal json pickle subprocess selectors pathlib tempfile logging enum sqlite3 "
    "multiprocessing ctypes random struct socket sitecustomize usercustomize numpy cv2 onnxruntime pydicom "
    "tifffile imagecodecs simplejpeg pydantic typer rich filelock platformdirs fpdf jinja2 "
    "cxr_runtime cxr_cli"
)
SCRIPT = "import sys\nfrom cxr_cli import start\nif __name__ == '__main__':\n    sys.exit(start())\n"


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A folder of films that holds a module of every name, each of which would leave a file `taken-over`."""
    stick = tmp_path / "stick"
    stick.mkdir()
    program = f"open({str(tmp_path / 'taken-over')!r}, 'a').write(__name__)\nraise SystemExit('taken over')\n"
    for name in HOSTILE.split():
        (stick / f"{name}.py").write_text(program)
    (stick / "film.png").write_bytes(encode_png(draw_phantom(1, hw=(256, 256))))
    return stick


def console_script(folder: Path) -> Path:
    """`cxr-triage` as pip installs it: a script in a folder of its own."""
    (folder / "bin").mkdir()
    script = folder / "bin" / "cxr-triage"
    script.write_text(SCRIPT)
    return script


def start(
    program: list[str | Path], folder: Path, variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONSAFEPATH"}
    return subprocess.run(
        [sys.executable, *program], cwd=folder, env=environment | (variables or {}),
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def is_clean(stick: Path) -> bool:
    return not (stick.parent / "taken-over").exists()


def test_the_hostile_folder_does_take_over_a_python_that_imports_from_it(stick: Path) -> None:
    start(["-c", "import threading"], stick)
    assert not is_clean(stick)


@pytest.mark.parametrize("inputs", [".", "film.png"])
def test_a_scan_started_in_the_folder_of_films_runs_nothing_of_it(stick: Path, inputs: str) -> None:
    script, model = console_script(stick.parent), write_model_folder(stick.parent / "model")
    done = start(
        [script, "scan", inputs, "--model", model, "--backend", "onnxruntime", "--out", "../out"], stick
    )
    assert (done.returncode, done.stderr.count("Error")) == (0, 0), done.stderr
    assert is_clean(stick)


def test_a_scan_started_in_a_model_folder_runs_nothing_of_it(stick: Path) -> None:
    model = write_model_folder(stick)
    script = console_script(stick.parent)
    done = start([script, "scan", "film.png", "--model", model, "--backend", "onnxruntime"], stick)
    assert done.returncode == 0, done.stderr
    assert is_clean(stick)


@pytest.mark.parametrize("entry", ["", ".", "./"])
def test_a_list_of_folders_that_names_the_current_one_is_read_without_it(stick: Path, entry: str) -> None:
    """`PYTHONPATH=$PYTHONPATH:/opt` of an unset one does; what Python itself loads first is out of reach."""
    for name in ("sitecustomize", "usercustomize"):
        (stick / f"{name}.py").unlink()
    lists = {
        "PYTHONPATH": os.pathsep.join([entry, os.environ.get("PYTHONPATH", "")]),
        "LD_LIBRARY_PATH": ":/opt",
    }
    script, model = console_script(stick.parent), write_model_folder(stick.parent / "model")
    (stick / "cxr_cli.py").unlink()
    done = start([script, "scan", ".", "--model", model, "--backend", "onnxruntime"], stick, lists)
    assert done.returncode == 0, done.stderr
    assert is_clean(stick)


def test_children_of_libraries_and_of_ours_inherit_lists_without_the_current_folder(stick: Path) -> None:
    script = stick.parent / "program.py"
    script.write_text(
        "import os, cxr_runtime\n"
        "print(os.environ['PYTHONSAFEPATH'], os.environ['PYTHONPATH'], os.environ['LD_LIBRARY_PATH'])\n"
    )
    kept = os.pathsep.join(SOURCES)
    lists = {"PYTHONPATH": os.pathsep.join([kept, "."]), "LD_LIBRARY_PATH": os.pathsep.join(["", "/opt", ""])}
    for name in ("sitecustomize", "usercustomize"):
        (stick / f"{name}.py").unlink()
    done = start(["-S", script], stick.parent, lists)
    assert done.stdout.split() == ["1", kept, "/opt"], done.stderr


@pytest.mark.parametrize("way", ["spawn", "forkserver"])
def test_libraries_that_start_python_by_multiprocessing_take_nothing_from_the_folder(
    stick: Path, way: str
) -> None:
    """The resource tracker, which semaphores and shared memory start, is such a child, too."""
    if sys.platform == "win32" and way == "forkserver":
        pytest.skip("forkserver is POSIX's")
    program = stick.parent / "program.py"
    program.write_text(
        "import cxr_runtime\nimport multiprocessing\nfrom multiprocessing import shared_memory\n"
        "if __name__ == '__main__':\n"
        f"    context = multiprocessing.get_context({way!r})\n"
        "    memory = shared_memory.SharedMemory(create=True, size=8)\n"
        "    lock = context.Lock()\n"
        "    child = context.Process(target=print, args=('child',))\n"
        "    child.start()\n    child.join()\n    memory.close()\n    memory.unlink()\n"
        "    raise SystemExit(child.exitcode)\n"
    )
    done = start([program], stick)
    assert (done.returncode, done.stdout.strip()) == (0, "child"), done.stderr
    assert is_clean(stick)


def test_workers_started_from_python_in_the_folder_take_nothing_from_it(stick: Path) -> None:
    program = stick.parent / "program.py"
    model = write_model_folder(stick.parent / "model")
    program.write_text(
        "import cxr_runtime\n"
        f"options = cxr_runtime.ScanOptions(model={str(model)!r}, backend='onnxruntime')\n"
        "print(cxr_runtime.scan('.', options).tally.scored)\n"
    )
    done = start([program], stick)
    assert done.stdout.strip() == "1", done.stderr
    assert is_clean(stick)


def test_workers_find_the_packages_of_an_installation_of_one_user(tmp_path: Path) -> None:
    """`pip install --user`: why workers run with -P, and with none of -I, -s and -E."""
    program = (
        "from pathlib import Path\nimport site, sys\n"
        "folder = Path(site.getusersitepackages())\nfolder.mkdir(parents=True)\n"
        "(folder / 'only_of_this_user.py').write_text('def double(x): return 2 * x')\n"
        "from cxr_runtime.workers.pool import WorkerPool\n"
        "from cxr_runtime.workers.tasks import Plain\n"
        "with WorkerPool(Plain('only_of_this_user:double'), 1) as pool:\n"
        "    print(list(pool.results([21])))\n"
    )
    python = Path(sys.executable).resolve()  # that of the system: a virtual environment knows no user's site
    libraries = [entry for entry in sys.path if entry.endswith("site-packages")]
    variables = {
        "PYTHONUSERBASE": str(tmp_path / "user"),
        "PYTHONPATH": os.pathsep.join([*SOURCES, *libraries]),
    }
    done = subprocess.run(
        [python, "-c", program],
        cwd=tmp_path,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "[(21, 42)]", done.stderr
