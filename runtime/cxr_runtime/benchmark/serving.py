"""What a page of the server takes where a store holds many films: beside one of a store without any."""

import http.client
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import numpy as np

from cxr_runtime.errors import CxrTriageError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.identity import Identity
from cxr_runtime.journal import Journal
from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.server.serving import ServeOptions, Serving
from cxr_runtime.store.rows import FinishedFilm, Place, StoredScore
from cxr_runtime.store.writer import StoreWriter
from cxr_runtime.workers.opener import Opener

CHANNELS = 512  # of the default network's conv5
AT_ONCE = 1000  # films that are put into the store in one transaction
TIMES = 7  # requests of each kind; the median counts
SECONDS = 60.0  # for one answer
PRINT, LABEL = "drawn", "full"
Ask = Callable[[str], bytes]


def measure_serving(films: int) -> Iterator[str]:
    """Serve a store of drawn rows, each with a patient and with features, and ask for its pages.

    Yields:
        A line for each kind of page: milliseconds, median of TIMES.
    """
    with TemporaryDirectory() as place:
        empty, full = Path(place, "empty"), Path(place, "full")
        _fill(empty, 0)
        _fill(full, films)
        size = (full / STORE_FILE).stat().st_size / max(films, 1)
        yield f"{films:,} films, {size / 1000:.1f} kB each without its pictures"
        with served(empty) as serving:
            yield f"first page of an empty store: {_median(partial(_answer, serving.port), '/')}"
        with served(full) as serving:
            ask = partial(_answer, serving.port)
            key = ask("/rows").partition(b'data-key="')[2].partition(b'"')[0].decode()
            pages = {
                "first page": "/",
                "the list alone": "/rows",
                "the list, page 500": "/rows?page=500",
                "newest first": "/rows?order=newest",
                "by file name": "/rows?order=name",
                "search for a patient": f"/rows?text={quote('P0000042')}",
                "search that finds nothing": "/rows?text=nobody",
                "counts of each kind": "/counts",
                "a film's facts": f"/film/{key}",
            }
            for what, address in pages.items():
                yield f"{what}: {_median(ask, address)}"
            yield f"similar films, the first time: {_took(ask, f'/film/{key}/similar'):.0f} ms"
            yield f"similar films, from then on: {_median(ask, f'/film/{key}/similar')}"


def _fill(folder: Path, films: int) -> None:
    folder.mkdir()
    numbers = np.random.default_rng(1)
    with StoreWriter.open(folder) as store:
        run = store.begin_run()
        for first in range(0, films, AT_ONCE):
            some = range(first, min(first + AT_ONCE, films))
            features = numbers.integers(0, 128, (len(some), CHANNELS), np.int8)
            chances = numbers.random(len(some))
            store.add(run, [_film(*each) for each in zip(some, features, chances, strict=True)], PRINT)


def _film(number: int, features: "np.typing.NDArray[np.int8]", chance: float) -> FinishedFilm:
    file, digest = f"night/{number:06}.dcm", sha256(b"%d" % number).hexdigest()
    triage = Triage.FLAGGED if chance > 0.5 else Triage.NOT_FLAGGED
    outcome = Outcome(
        file, digest, Status.SCORED, "", "", round(chance, 6), triage, 0.5, "balanced", "PA", 0.9, "default",
        "cd" * 32, "onnxruntime-cpu", 0.05,
    )  # fmt: skip
    score = StoredScore(outcome, 0.5, 0.5, 0.2, f"2026-11-{1 + number % 28:02}T03:04:05+00:00")
    patient = Identity(f"P{number // 2:07}", f"Drawn {number // 2}", studied=f"2026-{1 + number % 2:02}-01")
    place = Place(number + 1, file, f"stamp {number}")
    return FinishedFilm(place, score, None, 1000, features=features.tobytes(), identity=(LABEL, patient))


@contextmanager
def served(folder: Path) -> Iterator[Serving]:
    """A server of a folder, in a thread, while it answers.

    Raises:
        CxrTriageError: it did not begin.
    """
    ready = threading.Event()
    with Opener() as opener:
        serving = Serving(ServeOptions(folder, port=0), opener, Journal(), lambda _: ready.set())
        thread = threading.Thread(target=serving.run)
        thread.start()
        try:
            if not ready.wait(SECONDS):
                raise CxrTriageError("the server did not begin; see that a port is free")
            yield serving
        finally:
            serving.end()
            thread.join(SECONDS)


def _answer(port: int, address: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", address, headers={"accept": "text/html"})
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise RuntimeError(f"the server answers {address} with {answer.status}")
    return content


def _took(ask: Ask, address: str) -> float:
    """Milliseconds of one answer."""
    began = time.perf_counter()
    ask(address)
    return 1000 * (time.perf_counter() - began)


def _median(ask: Ask, address: str) -> str:
    ask(address)
    return f"{statistics.median(_took(ask, address) for _ in range(TIMES)):.1f} ms"
