"""What grows with the number of films: memory, the store, the reports, and how long it takes to go on."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from cxr_runtime.atomic import file_stamp
from cxr_runtime.files import HEATMAPS_FOLDER, REPORT_FILE, STORE_FILE, WORKLIST_FILE
from cxr_runtime.heat.map import HeatMethod
from cxr_runtime.model.folder import DEFAULT_MODEL, open_model
from cxr_runtime.names import safe_name
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from cxr_runtime.scanning.fingerprint import fingerprint_of
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.scan import scan
from cxr_runtime.scanning.scoring import with_triage
from cxr_runtime.store.rows import FinishedFilm, Place
from cxr_runtime.store.store import Store
from cxr_runtime.store.writer import StoreWriter

SIDE = 128  # pixels of a drawn film
A_FOLDER = 1000  # files
MARGIN = -9.0  # of the films in a store that is made; a film that is flagged has a page in the PDF
AT_ONCE = 500  # films that are put into a store in one transaction
SCAN = (
    "import sys; from pathlib import Path; from cxr_runtime import ScanOptions, scan; "
    "scan([sys.argv[1]], ScanOptions(out=Path(sys.argv[2])))"
)
LIST = (
    "import sys; from functools import partial; from cxr_runtime.sources.find import find_films; "
    "from cxr_runtime.workers.opener import Opener; opener = Opener(); opener.__enter__(); "
    "find_films([sys.argv[1]], None, ask=partial(opener.chunks, spans=10)); opener.__exit__()"
)


@dataclass(frozen=True)
class Run:
    """A program that ran."""

    seconds: float  # wall time
    processor_seconds: float  # its children's, too
    peak: int  # MiB of the largest of its processes

    def __str__(self) -> str:
        busy = self.processor_seconds
        return f"{self.seconds:.1f} s, {busy:.1f} s of processor time, {self.peak} MiB at most"


@dataclass(frozen=True)
class Point:
    """A scan of so many films."""

    what: str
    films: int
    run: Run
    sizes: str  # of what lies in the output folder

    def __str__(self) -> str:
        return f"{self.what.format(self.films)}: {self.run}; {self.sizes}"


def measure_scans(counts: Sequence[int]) -> Iterator[Point]:
    """Scan folders of so many drawn films, each with all reports.

    Yields:
        Time and memory, and what lies in the output folder.
    """
    for count in counts:
        with TemporaryDirectory() as place:
            films, out = Path(place, "films"), Path(place, "out")
            _write(films, count, lambda number: encode_png(draw_phantom(number, hw=(SIDE, SIDE))))
            run = _run(SCAN, films, out)
            yield Point("scan of {:,} films", count, run, _sizes(out, count))


def measure_standing(counts: Sequence[int]) -> Iterator[Point]:
    """Scan folders of films that are all finished: stores of so many films, made by code, and their files.

    Yields:
        What a scan takes whose reports are due, and one that finds everything as it was.
    """
    for count in counts:
        with TemporaryDirectory() as place:
            films, out = Path(place, "films"), Path(place, "out")
            _write(films, count, lambda number: b"%d" % number)
            fill_store(films, out)
            for what in ("reports are due", "everything stands"):
                run = _run(SCAN, films, out)
                yield Point(f"{{:,}} finished films, {what}", count, run, _sizes(out, count))


def measure_listing(count: int) -> Iterator[str]:
    """List a folder with so many files.

    Yields:
        Time and memory.
    """
    with TemporaryDirectory() as place:
        _write(Path(place), count, lambda _: b"")
        yield f"{count:,} files listed: {_run(LIST, Path(place))}"


def fill_store(films: Path, out: Path) -> None:
    """Have a store hold every file of a folder as a finished film: one that was scored, again and again.

    Args:
        films: the folder.
        out: the output folder, which is made.
    """
    with TemporaryDirectory() as place:
        drawn, done = Path(place, "film.png"), Path(place, "out")
        drawn.write_bytes(encode_png(draw_phantom(1, hw=(SIDE, SIDE))))
        scan([drawn], ScanOptions(out=done))
        with Store.open(done) as store:
            (score,) = store.scores(store.last_run())
            ((_, picture),) = store.pictured(store.last_run())
        overlay = next((done / HEATMAPS_FOLDER).iterdir()).read_bytes()
    model = open_model(DEFAULT_MODEL)
    point = model.calibration.operating_point(None)
    normal = with_triage(score.outcome, MARGIN, model.calibration, point)
    fingerprint = fingerprint_of(model.manifest, HeatMethod.CAM, lung_outline=False)
    (out / HEATMAPS_FOLDER).mkdir(parents=True)
    with StoreWriter.open(out) as store:
        run, waiting = store.begin_run(), list[FinishedFilm]()
        for position, path in enumerate(sorted(films.rglob("*.png")), start=1):
            digest = sha256(path.read_bytes()).hexdigest()
            shown = f"{HEATMAPS_FOLDER}/{safe_name(str(path), digest)}.png"
            (out / shown).write_bytes(overlay)
            row = replace(score, margin=MARGIN, outcome=replace(normal, file=str(path), sha256=digest))
            found = Place(position, str(path), file_stamp(path))
            files = ((shown, file_stamp(out / shown)),)
            waiting.append(FinishedFilm(found, row, picture, path.stat().st_size, files=files))
            if len(waiting) == AT_ONCE:
                store.add(run, waiting, fingerprint)
                waiting.clear()
        store.add(run, waiting, fingerprint)


def _write(folder: Path, count: int, content: Callable[[int], bytes]) -> None:
    for number in range(count):
        path = folder / f"{number // A_FOLDER:04d}" / f"patient-{number:07d}-chest-pa.png"
        if number % A_FOLDER == 0:
            path.parent.mkdir(parents=True)
        path.write_bytes(content(number))


def _run(program: str, *arguments: Path) -> Run:
    """Run a program of Python, and measure it.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    command = [sys.executable, "-P", "-c", program, *map(str, arguments)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    peak = used.ru_maxrss if sys.platform == "darwin" else used.ru_maxrss << 10  # bytes; KiB elsewhere
    return Run(time.perf_counter() - began, used.ru_utime + used.ru_stime, peak >> 20)


def _sizes(out: Path, count: int) -> str:
    stored = (out / STORE_FILE).stat().st_size / count / 1000
    sizes = (f"{name} {(out / name).stat().st_size / 1e6:.1f} MB" for name in (WORKLIST_FILE, REPORT_FILE))
    return ", ".join([f"store {stored:.1f} kB a film", *sizes])
