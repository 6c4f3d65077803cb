"""Memory of a service over many films: small drawn ones arrive in a folder, or by DICOM."""

import os
import queue
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cxr_runtime.benchmark.arriving import Watched, serve_folder
from cxr_runtime.files import ReportFormat
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png

MOST_AHEAD = 100  # films that have arrived and have no row yet
ROWS_OF_TABLE = 20
DRAWN = 8  # different films; the others differ by a number
HW = 256, 256  # rows and columns
FORMATS = frozenset({ReportFormat.CSV})


@dataclass(frozen=True)
class Soak:
    """Many films, and the table of the memory that they cost."""

    films: int  # how many arrive
    lines: "queue.SimpleQueue[str | None]" = field(default_factory=queue.SimpleQueue)  # None: it has ended

    def feed(self, arrive: Callable[[int], None], watched: Watched) -> None:
        """Have every film arrive, few ahead of their rows.

        Args:
            arrive: has the film of a number arrive.
            watched: counts rows.
        """
        started, every = time.monotonic(), max(self.films // ROWS_OF_TABLE, 1)
        for number in range(1, self.films + 1):
            arrive(number)
            with watched.has_row:
                while number - watched.films > MOST_AHEAD:
                    watched.has_row.wait()
                watched.rows.clear()
            if number % every == 0:
                service, all_together = _resident()
                rate = watched.films / (time.monotonic() - started)
                self.lines.put(f"| {number:,} | {service:.0f} | {all_together:.0f} | {rate:.1f} |")
        with watched.has_row:
            while watched.films < self.films:
                watched.has_row.wait()

    def in_folder(self) -> None:
        """The films are put into a watched folder."""
        drawn = [encode_png(draw_phantom(seed, hw=HW)) for seed in range(DRAWN)]

        def feed(folder: Path, watched: Watched) -> None:
            def arrive(number: int) -> None:
                part = folder / f".{number}.part"
                part.write_bytes(_another(drawn[number % DRAWN], number))
                part.rename(folder / f"{number:06d}.png")

            self.feed(arrive, watched)

        serve_folder(feed, FORMATS)

    def by_dicom(self) -> None:
        """The films are sent to a receiver, by this process."""
        from cxr_runtime.benchmark.receiving import drawn_film, sender, serve_receiver

        drawn = [drawn_film(draw_phantom(seed, hw=HW), seed) for seed in range(DRAWN)]

        def feed(port: int, watched: Watched) -> None:
            with sender(port) as send:

                def arrive(number: int) -> None:
                    film = drawn[number % DRAWN]
                    film.SOPInstanceUID = f"1.2.3.{number}"
                    send(film)

                self.feed(arrive, watched)

        serve_receiver(feed, FORMATS)


def measure_memory(films: int, *, by_dicom: bool = False) -> Iterator[str]:
    """Have so many small films arrive.

    Args:
        films: how many.
        by_dicom: at a receiver; else in a watched folder.

    Yields:
        Lines of a table while it grows: films, memory of the service and of all its processes, films a
        second.
    """
    soak, failures = Soak(films), list[BaseException]()

    def run() -> None:
        try:
            (soak.by_dicom if by_dicom else soak.in_folder)()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread of the caller
            failures.append(error)
        finally:
            soak.lines.put(None)

    yield "| films | MB of the service | MB with its processes | films a second |"
    yield "|---|---|---|---|"
    threading.Thread(target=run, daemon=True).start()
    while (line := soak.lines.get()) is not None:
        yield line
    if failures:
        raise failures[0]


def _another(png: bytes, number: int) -> bytes:
    """The same picture in other bytes: a text before its end (W3C PNG 11.3.4.3)."""
    text = b"tEXt" + b"Comment\0" + str(number).encode()
    chunk = (len(text) - 4).to_bytes(4, "big") + text + zlib.crc32(text).to_bytes(4, "big")
    return png[:-12] + chunk + png[-12:]


def _resident() -> tuple[float, float]:
    """Resident memory in MB of this process, and of it with its children (Linux: /proc)."""
    me = os.getpid()
    children = [
        number
        for thread in Path(f"/proc/{me}/task").iterdir()
        for number in (thread / "children").read_text().split()
    ]
    sizes = [_pages(number) * os.sysconf("SC_PAGE_SIZE") / 1e6 for number in (str(me), *children)]
    return sizes[0], sum(sizes)


def _pages(number: str) -> int:
    """Resident pages of a process; 0 where it has just ended (proc(5))."""
    try:
        return int(Path(f"/proc/{number}/statm").read_text().split()[1])
    except OSError:
        return 0
