"""Drawn DICOM films of invented patients, each with a study of its own."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from cxr_runtime.phantom import draw_phantom
from dicom_files import dicom_file

NAME, PATIENT, ACCESSION = "Zyxwvut^Quorra", "PID-4711-ZYX", "ACC-0815-QRS"
BORN, STUDIED, REFERRING = "19610203", "20260304", "Ueberweiser^Norbert"
STUDY, SERIES, FILM = "2.25.4711.1", "2.25.4711.2", "2.25.4711.3"
SECRETS = (  # what names the patient or the examination, as bytes that a grep would find
    b"Zyxwvut", b"Quorra", PATIENT.encode(), ACCESSION.encode(), BORN.encode(), b"1961-02-03",
    STUDIED.encode(), b"2026-03-04", b"Ueberweiser", STUDY.encode(), SERIES.encode(), FILM.encode(),
)  # fmt: skip

needs_dicom3tools = pytest.mark.skipif(
    shutil.which("dciodvfy") is None, reason="dicom3tools are not installed: no dciodvfy, no dcentvfy"
)


def study_film(seed: int = 0, *, hw: tuple[int, int] = (256, 256), **elements: Any) -> bytes:
    """A film with a header; `elements` as of `dicom_files.dicom_dataset`, None leaves ours out."""
    header: dict[str, Any] = {
        "PatientName": NAME,
        "PatientID": PATIENT,
        "PatientBirthDate": BORN,
        "PatientSex": "F",
        "StudyDate": STUDIED,
        "StudyTime": "101112",
        "StudyID": "S1",
        "AccessionNumber": ACCESSION,
        "ReferringPhysicianName": REFERRING,
        "StudyInstanceUID": STUDY,
        "SeriesInstanceUID": SERIES,
        "SOPInstanceUID": FILM,
        "Manufacturer": "Roentgen Works",
        "StationName": "ROOM3",
        "PatientOrientation": ["L", "F"],
    }
    named = {keyword: value for keyword, value in (header | elements).items() if value is not None}
    return dicom_file(draw_phantom(seed, hw=hw), syntax=ExplicitVRLittleEndian, **named)


def errors_of(*files: Path) -> list[str]:
    """What dciodvfy says is wrong with each object, and dcentvfy with them together."""
    said = [_said("dciodvfy", "-new", str(file)) for file in files]
    lines = "\n".join([*said, _said("dcentvfy", *map(str, files))]).splitlines()
    return [line for line in lines if re.search(r"\bError\b", line)]


def _said(*command: str) -> str:
    made = subprocess.run(command, check=False, capture_output=True, encoding="utf-8", errors="replace")
    return made.stdout + made.stderr
