"""A night of films from DCMTK's storescu, while the receiver is killed and the archive is away for a while.

What comes out equals a scan, and each result is in the archive once.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from pydicom import dcmread

from cxr_runtime.files import DICOM_FOLDER, RECEIVED_FOLDER
from dicom_archives import free_port, needs_orthanc, orthanc
from dicom_nights import (
    ASSOCIATIONS,
    ECHOSCU,
    FILMS,
    Clinic,
    contexts,
    draw,
    needs_dcmtk,
    send,
)
from fault_scans import table
from model_folders import write_model_folder
from service_rows import PATIENCE, wait_until

NOT_SENT = 3  # exit status of `send`
COMPARED = ("status", "code", "score", "probability", "triage")


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
                wait_until(partial(clinic.has_received, share), clinic.said)
                wait_until(lambda: clinic.rows() > 0, clinic.said)
                os.killpg(service.pid, signal.SIGKILL)
            with meanwhile(False):
                pass
        with clinic.listening() as service:
            with meanwhile(True):
                for each in sent:
                    each.result()
                wait_until(lambda: clinic.rows() == FILMS, clinic.said)
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
        wait_until(lambda: echo("-aet", "STORESCU", "-aec", "CXR-TRIAGE") == 0, clinic.said)
        assert echo("-aet", "STRANGER", "-aec", "CXR-TRIAGE") != 0
        assert echo("-aet", "STORESCU", "-aec", "ANOTHER") != 0
