"""A night of drawn films, DCMTK as the X-ray machines that send it, and the clinic that receives it."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from cxr_runtime.files import RECEIVED_FOLDER
from cxr_runtime.phantom import draw_phantom
from dicom_archives import PLACES
from dicom_files import (
    JPEG_2000_LOSSLESS,
    JPEG_LOSSLESS_SV1,
    JPEG_LS,
    RLE,
    UNCOMPRESSED,
    dicom_file,
    encode_frame,
)
from fault_scans import START
from processes import PATIENCE, Process, running
from service_rows import rows_of

FILMS = int(os.environ.get("CXR_TRIAGE_FILMS", "30"))  # CONTRIBUTING.md
ASSOCIATIONS = 4
CLASSES = {"CR": ComputedRadiographyImageStorage, "DX": DigitalXRayImageStorageForPresentation}
SYNTAXES = {  # and how DCMTK calls them
    ExplicitVRLittleEndian: "LittleEndianExplicit",
    ImplicitVRLittleEndian: "LittleEndianImplicit",
    RLE: "RLELossless",
    JPEG_LOSSLESS_SV1: "JPEGLossless:Non-hierarchical-1stOrderPrediction",
    JPEG_LS: "JPEGLSLossless",
    JPEG_2000_LOSSLESS: "JPEG2000LosslessOnly",
}
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
        "InstanceNumber": str(number),
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
        fixed = ("--model", "model", "--backend", "onnxruntime", "--workers", "1", "--format", "csv")
        return [sys.executable, "-c", START, *arguments, *fixed]

    @contextmanager
    def listening(self, *arguments: str) -> Iterator[Process]:
        """A service in a process group of its own; whatever is left of it is killed.

        Args:
            arguments: of `listen`, beside folder, port and log.
        """
        fixed = ("--out", "out", "--port", str(self.port), "--allow", "STORESCU@127.0.0.1")
        log = ("--log-file", "night.log", "--log-format", "json")
        with (
            (self.place / "log").open("ab") as said,
            running(
                self.scoring("listen", *fixed, *log, *arguments),
                cwd=self.place,
                env=self.environment,
                stderr=said,
                stdout=said,
            ) as process,
        ):
            yield process

    def received(self) -> int:
        """How many films lie in its folder, as they came or as copies."""
        return len({path.name[:64] for path in (self.out / RECEIVED_FOLDER).glob("*.dcm")})

    def rows(self) -> int:
        """Films that have a row."""
        return rows_of(self.out)

    def said(self) -> str:
        """What the services printed."""
        return (self.place / "log").read_text(encoding="utf-8", errors="replace")

    def noted(self, event: str) -> list[dict[str, Any]]:
        """What their logs say of an event, with `at`: seconds since 1970."""
        path = self.place / "night.log"
        lines = map(json.loads, path.read_text().splitlines() if path.exists() else ())
        return [
            {**line, "at": datetime.fromisoformat(line["time"]).timestamp()}
            for line in lines
            if line["event"] == event
        ]

    def figures(self) -> str:
        """Films a minute; seconds from a film's last byte to its row, and to its last result's delivery."""
        came = {line["sha256"]: line["at"] - line["seconds"] for line in self.noted("received")}
        rows = {line["sha256"]: line["at"] for line in self.noted("film")}
        sent = {line["sha256"]: line["at"] for line in self.noted("result-sent")}
        whole = max([*rows.values(), *sent.values()]) - min(came.values())
        lines = [f"{len(rows)} films in {whole:.0f} s: {60 * len(rows) / whole:.0f} films a minute"]
        for what, ends in (("its row", rows), ("its results in the archive", sent)):
            took = [max(0.0, end - came[film]) for film, end in ends.items() if film in came]
            lines.append(
                f"from a film's last byte to {what}: {median(took):.0f} s (median), {max(took):.0f} s (worst)"
            )
        return "\n".join(lines)


def send(films: list[Path], clinic: Clinic, proposed: Path) -> None:
    """An X-ray machine: what was not acknowledged is sent again, until all is."""
    command = [STORESCU, "-aec", "CXR-TRIAGE", "-xf", str(proposed), "Night", "127.0.0.1", str(clinic.port)]
    end = time.monotonic() + PATIENCE
    while _failed([*command, *map(str, films)]):
        assert time.monotonic() < end, clinic.said()
        time.sleep(0.2)


def _failed(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE).returncode != 0
