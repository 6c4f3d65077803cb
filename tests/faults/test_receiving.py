"""A night of films from DCMTK's storescu, while the receiver is killed and the archive is away for a while.

What comes out equals a scan, and each result is in the archive once.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from cxr_runtime.arrivals.receiver_inbox import RECEIVED_FOLDER
from cxr_runtime.errors import StoreError
from cxr_runtime.files import DICOM_FOLDER
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.store.store import Store
from dicom_archives import PLACES, free_port, needs_orthanc, orthanc
from dicom_files import (
    JPEG_2000_LOSSLESS,
    JPEG_LOSSLESS_SV1,
    JPEG_LS,
    RLE,
    UNCOMPRESSED,
    dicom_file,
    encode_frame,
)
from fault_scans import START, table
from model_folders import write_model_folder

FILMS = int(os.environ.get("CXR_TRIAGE_FILMS", "30"))  # CONTRIBUTING.md
ASSOCIATIONS = 4
NOT_SENT = 3  # exit status of `send`
PATIENCE = 300.0  # seconds for what takes a few
CLASSES = {"CR": ComputedRadiographyImageStorage, "DX": DigitalXRayImageStorageForPresentation}
SYNTAXES = {  # and how DCMTK calls them
    ExplicitVRLittleEndian: "LittleEndianExplicit",
    ImplicitVRLittleEndian: "LittleEndianImplicit",
    RLE: "RLELossless",
    JPEG_LOSSLESS_SV1: "JPEGLossless:Non-hierarchical-1stOrderPrediction",
    JPEG_LS: "JPEGLSLossless",
    JPEG_2000_LOSSLESS: "JPEG2000LosslessOnly",
}
COMPARED = ("status", "code", "score", "probability", "triage")
ECHOSCU, STORESCU = (shutil.which(name, path=PLACES) or "" for name in ("echoscu", "storescu"))
needs_dcmtk = pytest.mark.skipif(not (ECHOSCU and STORESCU), reason="DCMTK is not installed")


def film(number: int, syntax: UID) -> bytes:
    """A drawn film; every twentieth is no chest film, every fortieth is damaged."""
    pixels, modality = draw_phantom(number, hw=(256, 256)), ("CR", "DX")[number % 2]
    if number % 20 == 7:
        pixels = pixels // 64 * 64
    elements: dict[str, Any] = {
        "SOPClassUID": CLASSES[modality], "SOPInstanceUID": f"1.2.3.{number + 1}", "Modality": modality,
        "StudyInstanceUID": f"1.2.4.{number + 1}", "SeriesInstanceUID": f"1.2.5.{number + 1}",
    }  # fmt: skip
    if number % 40 != 13:
        return dicom_file(pixels, syntax=syntax, **elements)
    if syntax in UNCOMPRESSED:
        return dicom_file(pixels[:100], syntax=syntax, **elements, Rows=256)
    ds = Dataset()
    ds.BitsStored = ds.BitsAllocated = 8
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PixelRepresentation = 256, 256, 1, 0
    stream = encode_frame(pixels, syntax, ds)
    return dicom_file(pixels, syntax=syntax, stream=stream[: len(stream) // 4 * 2], **elements)


def draw(folder: Path) -> list[Path]:
    """The films of a night."""
    folder.mkdir()
    for number in range(FILMS):
        (folder / f"{number:03}.dcm").write_bytes(film(number, list(SYNTAXES)[number % len(SYNTAXES)]))
    return sorted(folder.iterdir())


def contexts(file: Path) -> Path:
    """What storescu is to propose: each class in each transfer syntax."""
    syntaxes = [f"[S{at}]\nTransferSyntax1 = {name}" for at, name in enumerate(SYNTAXES.values())]
    pairs = [(name, at) for name in CLASSES.values() for at in range(len(SYNTAXES))]
    proposed = [f"PresentationContext{at} = {uid}\\S{each}" for at, (uid, each) in enumerate(pairs, 1)]
    lines = [
        "[[TransferSyntaxes]]", *syntaxes, "[[PresentationContexts]]", "[All]", *proposed,
        "[[Profiles]]", "[Night]", "PresentationContexts = All",
    ]  # fmt: skip
    file.write_text("\n".join(lines) + "\n")
    return file


@dataclass(frozen=True)
class Clinic:
    """A receiver's folder, port and log; `films` and `model` beside them."""

    place: Path
    port: int
    formats: str = "csv"

    @property
    def out(self) -> Path:
        """Its output folder."""
        return self.place / "out"

    @property
    def environment(self) -> dict[str, str]:
        """With a cache of its own."""
        return {**os.environ, "CXR_TRIAGE_CACHE": str(self.place / "cache")}

    def scoring(self, *arguments: str) -> list[str]:
        """A command line of ours that scores."""
        fixed = ("--model", "model", "--backend", "onnxruntime", "--workers", "1", "--format", self.formats)
        return [sys.executable, "-c", START, *arguments, *fixed]

    def send_results(self, archive: int) -> int:
        """Send what there is to the archive at this port; the exit status."""
        send = ("send", "out", "--to", f"ORTHANC@127.0.0.1:{archive}", "--identity", "none")
        with (self.place / "log").open("ab") as log:
            return subprocess.run(
                [sys.executable, "-c", START, *send], cwd=self.place, env=self.environment, stdout=log,
                stderr=log, check=False,
            ).returncode  # fmt: skip

    @contextmanager
    def listening(self) -> Iterator[subprocess.Popen[bytes]]:
        """A service in a process group of its own; whatever is left of it is killed."""
        allow = ("--allow", "STORESCU@127.0.0.1")
        with (self.place / "log").open("ab") as log, subprocess.Popen(
            self.scoring("listen", "--out", "out", "--port", str(self.port), *allow),
            cwd=self.place, env=self.environment, stderr=log, stdout=log, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def has_received(self, films: int) -> bool:
        """Whether so many films were received so far."""
        return len(list((self.out / RECEIVED_FOLDER).glob("*.dcm"))) >= films

    def rows(self) -> int:
        """Films that have a row."""
        try:
            with Store.open(self.out) as store:
                return len(list(store.outcomes(None)))
        except StoreError:
            return 0

    def said(self) -> str:
        """What the services printed."""
        return (self.place / "log").read_text(encoding="utf-8", errors="replace")


def send(films: list[Path], clinic: Clinic, proposed: Path) -> None:
    """An X-ray machine: what was not acknowledged is sent again, until all is."""
    command = [STORESCU, "-aec", "CXR-TRIAGE", "-xf", str(proposed), "Night", "127.0.0.1", str(clinic.port)]
    end = time.monotonic() + PATIENCE
    while subprocess.run([*command, *map(str, films)], capture_output=True, check=False).returncode != 0:
        assert time.monotonic() < end, clinic.said()
        time.sleep(0.2)


def wait_until(is_so: Callable[[], bool], clinic: Clinic) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, clinic.said()
        time.sleep(0.05)


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    write_model_folder(tmp_path / "model")
    return Clinic(tmp_path, free_port())


def by_number(rows: list[dict[str, str]], number: Callable[[str], int]) -> dict[int, dict[str, str]]:
    """What was found of each film, by its number."""
    found = {number(row["file"]): {name: row[name] for name in COMPARED} for row in rows}
    assert len(found) == len(rows)
    return found


def receive_a_night(
    clinic: Clinic, meanwhile: Callable[[bool], AbstractContextManager[object]] = nullcontext
) -> None:
    """Have the films sent, the receiver killed twice, and all scored in the end.

    Args:
        clinic: where.
        meanwhile: goes on while nobody listens (False), and while the last service does (True).
    """
    films, proposed = draw(clinic.place / "films"), contexts(clinic.place / "contexts.cfg")
    with ThreadPoolExecutor(ASSOCIATIONS) as machines:
        sent = [
            machines.submit(send, films[at::ASSOCIATIONS], clinic, proposed) for at in range(ASSOCIATIONS)
        ]
        for share in (FILMS // 5, FILMS // 2):
            with clinic.listening() as service:
                wait_until(partial(clinic.has_received, share), clinic)
                wait_until(lambda: clinic.rows() > 0, clinic)
                os.killpg(service.pid, signal.SIGKILL)
            with meanwhile(False):
                pass
        with clinic.listening() as service:
            with meanwhile(True):
                for each in sent:
                    each.result()
                wait_until(lambda: clinic.rows() == FILMS, clinic)
            os.killpg(service.pid, signal.SIGTERM)
            assert service.wait(timeout=PATIENCE) == 0, clinic.said()
    assert "Traceback" not in clinic.said()
    assert "Phantom" not in clinic.said()


@pytest.mark.peers
@needs_dcmtk
def test_a_night_of_films_is_scored_once_each_though_the_receiver_is_killed_twice(
    clinic: Clinic, tmp_path: Path
) -> None:
    receive_a_night(clinic)
    run = subprocess.run(
        clinic.scoring("scan", "films", "--out", "scan"), cwd=tmp_path, env=clinic.environment, check=False
    )
    assert run.returncode == 3
    scanned = by_number(table(tmp_path / "scan"), lambda file: int(Path(file).stem))
    received = by_number(
        table(clinic.out), lambda file: int(dcmread(tmp_path / file).SOPInstanceUID.split(".")[-1]) - 1
    )
    assert received == scanned
    assert len(received) == FILMS
    assert {row["status"] for row in received.values()} == {"scored", "rejected", "failed"}
    assert all(path.suffix == ".dcm" for path in (clinic.out / RECEIVED_FOLDER).iterdir())


@pytest.mark.peers
@needs_dcmtk
@needs_orthanc
def test_each_result_of_the_night_is_in_the_archive_once_though_it_was_away(
    clinic: Clinic, tmp_path: Path
) -> None:
    clinic, ports = replace(clinic, formats="csv,dicom"), (free_port(), free_port())

    @contextmanager
    def sending(is_listening: bool) -> Iterator[None]:
        assert clinic.send_results(ports[0]) in (
            0,
            NOT_SENT,
        )  # the archive is away; 0: no result was made yet
        yield
        if is_listening:
            with orthanc(tmp_path / "orthanc", *ports):
                assert clinic.send_results(ports[0]) == 0, clinic.said()

    receive_a_night(clinic, sending)
    made = sorted(str(dcmread(path).SOPInstanceUID) for path in (clinic.out / DICOM_FOLDER).iterdir())
    scored = [row for row in table(clinic.out) if row["status"] == "scored"]
    assert len(made) == 3 * len(scored) > 0
    with orthanc(tmp_path / "orthanc", *ports) as archive:
        assert clinic.send_results(ports[0]) == 0
        assert archive.uids() == made


@pytest.mark.peers
@needs_dcmtk
def test_dcmtk_is_answered_and_strangers_are_rejected(clinic: Clinic) -> None:
    def echo(*arguments: str) -> int:
        command = [ECHOSCU, *arguments, "127.0.0.1", str(clinic.port)]
        return subprocess.run(command, capture_output=True, check=False).returncode

    with clinic.listening():
        wait_until(lambda: echo("-aet", "STORESCU", "-aec", "CXR-TRIAGE") == 0, clinic)
        assert echo("-aet", "STRANGER", "-aec", "CXR-TRIAGE") != 0
        assert echo("-aet", "STORESCU", "-aec", "ANOTHER") != 0
