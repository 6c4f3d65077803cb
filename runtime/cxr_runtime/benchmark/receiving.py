"""How fast a receiver is: from a film's last byte on the network to its row, and films a minute."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pydicom import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association

from cxr_runtime.arrivals.receiver.receiver import Receiver, ReceiverOptions
from cxr_runtime.arrivals.service import Service, ServiceOptions
from cxr_runtime.benchmark.arriving import Latency, Watched
from cxr_runtime.errors import CxrTriageError
from cxr_runtime.files import DEFAULT_FORMATS, ReportFormat
from cxr_runtime.film import GreyPixels
from cxr_runtime.reading.film_file import read_film
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.sending.association import keep_answers

ASSOCIATIONS = 4  # that send at once
STORED = 0x0000
PATIENCE = 600.0  # seconds for an answer, on a machine that computes other things, too
LISTENING = "listening"  # event from which on films may be sent
DX = DigitalXRayImageStorageForPresentation


class _Timed(Watched):
    """A journal that also notes when the last byte of each film came."""

    def __init__(self) -> None:
        super().__init__(LISTENING)
        self.arrived: dict[str, float] = {}  # by the first digits of its sha256

    def note(self, event: str, **facts: float | str) -> None:
        super().note(event, **facts)
        if event == "received":
            with self.has_row:
                self.arrived[str(facts["sha256"])] = time.monotonic() - float(facts["seconds"])

    def wait_for(self, films: int) -> None:
        """Wait until so many have their row."""
        with self.has_row:
            self.has_row.wait_for(lambda: self.films >= films)


def measure_receiving(films: Sequence[Path]) -> Iterator[str]:
    """Send films to a receiver of this machine: first one by one, then all by several associations at once.

    Args:
        films: files of any format that is read; they are sent as uncompressed DX films of 8 bits.

    Yields:
        Lines with seconds from the last byte to the row, and films a minute.
    """
    datasets = [drawn_film(read_film(file.read_bytes()).pixels, at) for at, file in enumerate(films)]
    yield f"one by one: {_measured(datasets, 1)[0]}"
    latency, minutes = _measured(datasets, ASSOCIATIONS)
    yield f"by {ASSOCIATIONS} associations at once: {latency}; {len(datasets) / minutes:.0f} films a minute"


def serve_receiver(
    feed: Callable[[int, Watched], None], formats: frozenset[ReportFormat], watched: Watched | None = None
) -> None:
    """Receive films until all were sent.

    Args:
        feed: is given the port, in a thread of its own.
        formats: of the reports.
        watched: hears of the films; None: one is made.
    """
    with TemporaryDirectory() as place:
        out, watched = Path(place, "out"), watched or Watched(LISTENING)
        receiver = Receiver(out, ReceiverOptions(port=0), watched)
        service = Service(
            [receiver], ServiceOptions(ScanOptions(out=out, formats=formats), ("DICOM",)), watched
        )

        def feed_and_end() -> None:
            watched.has_begun.wait()
            try:
                feed(receiver.port, watched)
            finally:
                service.end()

        feeder = threading.Thread(target=feed_and_end)
        feeder.start()
        service.run()
        feeder.join()


def _measured(films: list[Dataset], associations: int) -> tuple[Latency, float]:
    timed, took = _Timed(), [0.0]

    def feed(port: int, _watched: Watched) -> None:
        started = time.monotonic()
        with ThreadPoolExecutor(associations) as senders:
            shares = [films[at::associations] for at in range(associations)]
            waits = timed if associations == 1 else None
            list(senders.map(lambda share: _send(share, port, waits), shares))
        timed.wait_for(len(films))
        took[0] = time.monotonic() - started

    serve_receiver(feed, DEFAULT_FORMATS, timed)
    return Latency(tuple(row - timed.arrived[digits] for digits, row in timed.rows.items())), took[0] / 60


def _send(films: list[Dataset], port: int, waits: _Timed | None) -> None:
    """Send films by one association, if `waits` each after the row of the one before."""
    with sender(port) as send:
        for number, film in enumerate(films, start=1):
            send(film)
            if waits is not None:
                waits.wait_for(number)


@contextmanager
def sender(port: int) -> Iterator[Callable[[Dataset], None]]:
    """Sends films to a receiver of this machine, each by the association of the one before while that stands.

    What it gives raises CxrTriageError where a film was not taken.
    """
    ae = AE("LAB")
    ae.dimse_timeout = ae.network_timeout = PATIENCE
    ae.add_requested_context(DX, ExplicitVRLittleEndian)
    with ExitStack() as open_now:

        def associated() -> Association:
            association = ae.associate("127.0.0.1", port, ae_title=ReceiverOptions.title)
            keep_answers(association)
            open_now.callback(association.release)
            return association

        association = associated()

        def send(film: Dataset) -> None:
            nonlocal association
            if not association.is_established:  # nothing was sent for a minute: films waited for their rows
                association = associated()
            if not association.is_established or association.send_c_store(film).get("Status") != STORED:
                raise CxrTriageError("a film was not taken; look whether the disk is full, and measure again")

        yield send


def drawn_film(pixels: GreyPixels, number: int) -> Dataset:
    """An uncompressed DX film of 8 bits.

    Args:
        pixels: (rows, columns) uint8.
        number: decides its SOP Instance UID.
    """
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = DX, f"1.2.3.{number + 1}", "DX"
    ds.BodyPartExamined, ds.ViewPosition = "CHEST", "PA"
    ds.Rows, ds.Columns = pixels.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
    content = pixels.tobytes()
    ds.add_new("PixelData", "OB", content + bytes(len(content) % 2))
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return ds
