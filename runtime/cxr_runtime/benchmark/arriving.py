"""What a watched folder costs: seconds from a film's last byte to its row, and what looking costs."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from cxr_runtime.arrivals.service import Service, ServiceOptions
from cxr_runtime.arrivals.tree import WatchedTree
from cxr_runtime.arrivals.watched import LOOK_SECONDS, SHARE_OF_A_CORE, watched_folders
from cxr_runtime.files import DEFAULT_FORMATS, ReportFormat
from cxr_runtime.journal import Journal
from cxr_runtime.names import SHA_DIGITS
from cxr_runtime.outcome import Outcome
from cxr_runtime.scanning.options import ScanOptions

PIECES = 4  # in which a film is written
LOOKS_AT_REST, LOOKS = 240, 40  # the former last long enough for looks at files that were given already
LOOKS_APART = 0.5  # seconds, by a clock that is turned
LATER = 1e10  # by it, every file is old


class Watched(Journal):
    """A journal that notes when each film got its row."""

    def __init__(self, begins: str = "started") -> None:
        """Of a service that takes films once it has noted the event `begins`."""
        super().__init__()
        self._begins = begins
        self.rows: dict[str, float] = {}  # by the first digits of its sha256
        self.films = 0
        self.has_row = threading.Condition()
        self.has_begun = threading.Event()

    def note(self, event: str, **facts: float | str) -> None:  # noqa: ARG002 - as of a journal
        if event == self._begins:
            self.has_begun.set()

    def film(self, outcome: Outcome, **facts: float | str) -> None:  # noqa: ARG002 - as of a journal
        with self.has_row:
            self.rows[outcome.sha256[:SHA_DIGITS]] = time.monotonic()
            self.films += 1
            self.has_row.notify_all()


@dataclass(frozen=True)
class Latency:
    """Seconds from a film's last byte to its row."""

    seconds: tuple[float, ...]

    def __str__(self) -> str:
        return (
            f"{len(self.seconds)} films, from the last byte to the row: {median(self.seconds):.1f} s "
            f"(median), {max(self.seconds):.1f} s (worst)"
        )


def measure_latency(films: Sequence[Path]) -> Latency:
    """Copy films into a watched folder one by one, each after the row of the one before.

    Args:
        films: that are scored; each is written in pieces.
    """
    seconds = list[float]()

    def feed(folder: Path, watched: Watched) -> None:
        for film in films:
            content = film.read_bytes()
            digits = sha256(content).hexdigest()[:SHA_DIGITS]
            with (folder / film.name).open("wb") as file:
                step = -(-len(content) // PIECES)
                for start in range(0, len(content), step):
                    file.write(content[start : start + step])
                    file.flush()
            written = time.monotonic()
            with watched.has_row:
                while digits not in watched.rows:
                    watched.has_row.wait()
            seconds.append(watched.rows[digits] - written)

    serve_folder(feed, DEFAULT_FORMATS)
    return Latency(tuple(seconds))


def measure_looking(files: int) -> Iterator[str]:
    """Watch a folder of so many files, none of them a film that is scored.

    Args:
        files: how many.

    Yields:
        What it costs in processor time: while nothing arrives, and while a file arrives before each look.
    """
    with TemporaryDirectory() as place:
        for number in range(files):
            Path(place, f"{number:07d}.png").touch()
        tree, now = WatchedTree(place, clock=lambda: LATER), 0.0
        while tree.look(now) or tree.waiting:
            now += LOOKS_APART
        for what, looks in (("nothing arrives", LOOKS_AT_REST), ("a file arrives before each look", LOOKS)):
            busy, began = time.thread_time(), now
            for number in range(looks):
                if looks == LOOKS:
                    Path(place, f"new{number}.png").touch()
                tree.look(now)
                now += LOOKS_APART
            each = (time.thread_time() - busy) / looks
            rest = max(LOOK_SECONDS, each / SHARE_OF_A_CORE)
            yield (
                f"{files:,} files, {what}: {1000 * each:.2f} ms a look, a look every {rest:.1f} s, "
                f"{100 * each / (each + rest):.2f} % of a core ({now - began:.0f} s of looks)"
            )


def serve_folder(feed: Callable[[Path, Watched], None], formats: frozenset[ReportFormat]) -> None:
    """Watch a folder until it has been fed.

    Args:
        feed: is given the folder, in a thread of its own.
        formats: of the reports.
    """
    with TemporaryDirectory() as place:
        folder, out, watched = Path(place, "in"), Path(place, "out"), Watched()
        folder.mkdir()
        arrivals = watched_folders([str(folder)], out, watched, follow_links=False)
        service = Service(arrivals, ServiceOptions(ScanOptions(out=out, formats=formats), ("in",)), watched)

        def feed_and_end() -> None:
            watched.has_begun.wait()
            try:
                feed(folder, watched)
            finally:
                service.end()

        feeder = threading.Thread(target=feed_and_end)
        feeder.start()
        service.run()
        feeder.join()
