"""What `lab slim` removes is never loaded: films in every coding and all reports come out without it."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from cxr_cli.bundle import slimming
from cxr_cli.bundle.slimming import can_go, slim
from cxr_runtime.benchmark.damaged_films import CODINGS
from cxr_runtime.errors import UsageError
from cxr_runtime.phantom import draw_phantom
from model_folders import write_model_folder

SLIMMED = ("imagecodecs", "numpy", "onnxruntime", "fonttools")
LEAST_MB = 100  # together; the page says how many
START = "import sys; from cxr_cli import start; sys.argv[0] = 'cxr-triage'; start()"


@pytest.fixture
def slimmed(tmp_path: Path) -> Path:
    """A folder with those libraries, as `lab slim` leaves them."""
    folder = tmp_path / "libraries"
    for name in SLIMMED:
        package = distribution(name)
        gone = {path.resolve() for path in can_go(name, package)}
        for file in package.files or ():
            path = Path(str(package.locate_file(file)))
            if not path.is_file() or path.resolve() in gone or path.suffix == ".pyc" or ".." in file.parts:
                continue
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            _link(path, target)
    return folder


def _link(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except OSError:  # another disk
        shutil.copy2(path, target)


@pytest.mark.skipif(sys.platform != "linux", reason="wheels of other systems have other files")
def test_films_in_every_coding_and_all_reports_need_nothing_that_goes(slimmed: Path, tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    film = draw_phantom(3, hw=(160, 160))
    for number, coding in enumerate(CODINGS.values()):
        film[0, 0] = number  # no two are the same film
        (tmp_path / "films" / f"{number}.film").write_bytes(coding.encode(film))
    model = write_model_folder(tmp_path / "model")
    search = os.pathsep.join([str(slimmed), os.environ.get("PYTHONPATH", "")])
    words = ("scan", "films", "--out", "out", "--model", str(model), "--format", "csv,html,pdf,png,npz")
    done = subprocess.run(
        [sys.executable, "-c", START, *words, "--backend", "onnxruntime", "--workers", "1", "--debug"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": search}, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip
    assert f"{len(CODINGS)} films: {len(CODINGS)} scored" in done.stdout, done.stdout + done.stderr
    assert (tmp_path / "out" / "report.pdf").stat().st_size > 10_000


@pytest.mark.skipif(sys.platform != "linux", reason="wheels of other systems have other files")
def test_what_goes_is_as_much_as_the_page_says() -> None:
    sizes = {name: [path.stat().st_size for path in can_go(name, distribution(name))] for name in SLIMMED}
    assert all(sizes.values())
    assert sum(map(sum, sizes.values())) > LEAST_MB * slimming.MB


def test_an_environment_that_holds_other_programs_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slimming, "_remove", lambda _files: pytest.fail("a file would go"))
    with pytest.raises(UsageError, match="install the program into an environment of its own"):
        slim()


def test_files_of_another_environment_that_python_looks_into_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").mkdir()
    own, other = tmp_path / "own" / "a", tmp_path / "b"
    for path in (own, other):
        path.write_bytes(b"12")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "own"))
    assert slimming._remove([own, other]) == 2
    assert (own.exists(), other.exists()) == (False, True)
