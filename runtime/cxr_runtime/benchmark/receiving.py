"""How fast a receiver is: from a film's last byte on the network to its row, and films a minute."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from pydicom import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian
from pynetdicom import AE

from cxr_runtime.arrivals.receiver import Receiver, ReceiverOptions
from cxr_runtime.arrivals.service import Service, ServiceOptions
from cxr_runtime.benchmark.arriving import Latency
from cxr_runtime.errors import CxrTriageError
from cxr_runtime.journal import Journal
from cxr_runtime.names import SHA_DIGITS
from cxr_runtime.outcome import Outcome
from cxr_runtime.reading.film_file import read_film
from cxr_runtime.scanning.options import ScanOptions

ASSOCIATIONS = 4  # that send at once
STORED = 0x0000
DX = DigitalXRayImageStorageForPresentation


class _Timed(Journal):
    """A journal that notes when the last byte of each film came, and when it got its row."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived: dict[str, float] = {}  # by the first digits of its sha256
        self.rows: dict[str, float] = {}
        self.changed = threading.Condition()
        self.is_listening = threading.Event()

    def note(self, event: str, **facts: float | str) -> None:
        if event == "listening":
            self.is_listening.set()
        if event == "received":
            with self.changed:
                self.arrived[str(facts["sha256"])] = time.monotonic() - float(facts["seconds"])

    def film(self, outcome: Outcome, **facts: float | str) -> None:  # noqa: ARG002 - as of a journal
        with self.changed:
            self.rows[outcome.sha256[:SHA_DIGITS]] = time.monotonic()
            self.changed.notify_all()

    def wait_for(self, films: int) -> None:
        """Wait until so many have their row."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.rows) >= films)


def measure_receiving(films: Sequence[Path]) -> Iterator[str]:
    """Send films to a receiver of this machine: first one by one, then all by several associations at once.

    Args:
        films: files of any format that is read; they are sent as uncompressed DX films of 8 bits.

    Yields:
        Lines with seconds from the last byte to the row, and films a minute.
    """
    sent = [_dx(file, at) for at, file in enumerate(films)]
    yield f"one by one: {_measured(sent, 1)[0]}"
    latency, minutes = _measured(sent, ASSOCIATIONS)
    yield f"by {ASSOCIATIONS} associations at once: {latency}; {len(sent) / minutes:.0f} films a minute"


def _measured(films: list[Dataset], associations: int) -> tuple[Latency, float]:
    with TemporaryDirectory() as place:
        out, timed = Path(place, "out"), _Timed()
        receiver = Receiver(out, ReceiverOptions(port=0), timed)
        service = Service([receiver], ServiceOptions(ScanOptions(out=out), ("DICOM",)), timed)
        took = [0.0]

        def feed() -> None:
            timed.is_listening.wait()
            started = time.monotonic()
            try:
                with ThreadPoolExecutor(associations) as senders:
                    shares = [films[at::associations] for at in range(associations)]
                    waits = timed if associations == 1 else None
                    list(senders.map(lambda share: _send(share, receiver.port, waits), shares))
                timed.wait_for(len(films))
                took[0] = time.monotonic() - started
            finally:
                service.end()

        feeder = threading.Thread(target=feed)
        feeder.start()
        service.run()
        feeder.join()
    return Latency(tuple(row - timed.arrived[digits] for digits, row in timed.rows.items())), took[0] / 60


def _send(films: list[Dataset], port: int, waits: _Timed | None) -> None:
    """Send films by one association, if `waits` each after the row of the one before."""
    ae = AE("LAB")
    ae.add_requested_context(DX, ExplicitVRLittleEndian)
    sender = ae.associate("127.0.0.1", port, ae_title=ReceiverOptions.title)
    for number, film in enumerate(films, start=1):
        if not sender.is_established or sender.send_c_store(film).get("Status") != STORED:
            raise CxrTriageError("a film was not taken; look whether the disk is full, and measure again")
        if waits is not None:
            waits.wait_for(number)
    sender.release()


def _dx(file: Path, number: int) -> Dataset:
    pixels = read_film(file.read_bytes()).pixels
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
