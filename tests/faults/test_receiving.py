"""A night of films from DCMTK's storescu, while the service is killed and the archive is away for a while.

What comes out equals a scan, and each result is in the archive once. Its figures are printed: `pytest -rP`.
"""

import os
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydicom import dcmread

from cxr_runtime.arrivals.receiver.copy_making import COPY_SUFFIX
from cxr_runtime.files import DICOM_FOLDER, RECEIVED_FOLDER
from cxr_runtime.sending.status import ArchiveStatus, status_of
from dicom_archives import Orthanc, free_port, needs_orthanc, orthanc
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
from processes import PATIENCE, wait_until

NIGHT = PATIENCE + 4 * FILMS  # seconds until all is done
COMPARED = ("status", "code", "score", "probability", "triage")
UNSCORED = 3  # exit status of a scan of which some films were rejected or failed


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    write_model_folder(tmp_path / "model")
    return Clinic(tmp_path, free_port())


def by_number(rows: list[dict[str, str]], number: Callable[[Path], int]) -> dict[int, dict[str, str]]:
    """What was found of each film, by its number."""
    found = {number(Path(row["file"])): {name: row[name] for name in COMPARED} for row in rows}
    assert len(found) == len(rows)
    return found


def number_of_copy(place: Path) -> Callable[[Path], int]:
    """The number of a received film, as its copy without names states it."""
    return lambda film: int(dcmread(place / film.with_name(f"{film.stem}{COPY_SUFFIX}")).InstanceNumber)


def status(clinic: Clinic) -> ArchiveStatus:
    (found,) = status_of(clinic.out)
    return found


def have_the_night(clinic: Clinic, ports: tuple[int, int]) -> None:
    """Have the films sent, the service killed twice, the archive away in between, and all done in the end."""
    films, proposed = draw(clinic.place / "films"), contexts(clinic.place / "contexts.cfg")
    to = ("--to", f"ORTHANC@127.0.0.1:{ports[0]}", "--identity", "none")
    with ThreadPoolExecutor(ASSOCIATIONS) as machines, ExitStack() as is_there:
        archive = is_there.enter_context(orthanc(clinic.place / "orthanc", *ports))
        shares = [films[at::ASSOCIATIONS] for at in range(ASSOCIATIONS)]
        sent = [machines.submit(send, share, clinic, proposed) for share in shares]
        with clinic.listening(*to) as service:
            wait_until(lambda: clinic.received() >= FILMS // 5 and len(archive.uids()) > 3, clinic.said)
            os.killpg(service.pid, signal.SIGKILL)
        is_there.close()
        with clinic.listening(*to) as service:
            wait_until(
                lambda: clinic.received() >= FILMS // 2 and bool(clinic.noted("archive-away")), clinic.said
            )
            os.killpg(service.pid, signal.SIGKILL)
        with clinic.listening(*to) as service:
            for each in sent:
                each.result()
            wait_until(lambda: clinic.rows() == FILMS, clinic.said, NIGHT)
            with orthanc(clinic.place / "orthanc", *ports) as archive:
                wait_until(lambda: status(clinic).waiting == 0, clinic.said, NIGHT)
                os.killpg(service.pid, signal.SIGTERM)
                assert service.wait(timeout=PATIENCE) == 0, clinic.said()
                assert_each_result_is_there_once(clinic, archive)


def assert_each_result_is_there_once(clinic: Clinic, archive: Orthanc) -> None:
    made = sorted(str(dcmread(path).SOPInstanceUID) for path in (clinic.out / DICOM_FOLDER).iterdir())
    scored = [row for row in table(clinic.out) if row["status"] == "scored"]
    assert len(made) == 3 * len(scored) > 0
    assert archive.uids() == made
    assert archive.new_instances() == len(made)
    assert (status(clinic).sent, status(clinic).refused) == (len(made), 0)


@pytest.mark.peers
@pytest.mark.timeout(600 + 2 * NIGHT)
@needs_dcmtk
@needs_orthanc
def test_a_night_is_scored_and_its_results_are_in_the_archive_once_each_whatever_is_killed_or_away(
    clinic: Clinic, tmp_path: Path
) -> None:
    have_the_night(clinic, (free_port(), free_port()))
    run = subprocess.run(
        clinic.scoring("scan", "films", "--out", "scan"),
        cwd=tmp_path,
        env=clinic.environment,
        check=False,
        timeout=NIGHT,
    )
    assert run.returncode == UNSCORED
    scanned = by_number(table(tmp_path / "scan"), lambda film: int(film.stem))
    received = by_number(table(clinic.out), number_of_copy(tmp_path))
    assert received == scanned
    assert len(received) == FILMS
    assert {row["status"] for row in received.values()} == {"scored", "rejected", "failed"}
    kept = list((clinic.out / RECEIVED_FOLDER).iterdir())
    assert all(path.name.endswith(COPY_SUFFIX) and b"Phantom" not in path.read_bytes() for path in kept)
    assert not any(word in clinic.said() for word in ("Traceback", "Phantom"))
    print(clinic.figures())  # noqa: T201 - the night's figures


@pytest.mark.peers
@needs_dcmtk
def test_dcmtk_is_answered_and_strangers_are_rejected(clinic: Clinic) -> None:
    def echo(*arguments: str) -> int:
        command = [ECHOSCU, *arguments, "127.0.0.1", str(clinic.port)]
        return subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE).returncode

    with clinic.listening():
        wait_until(lambda: echo("-aet", "STORESCU", "-aec", "CXR-TRIAGE") == 0, clinic.said)
        assert echo("-aet", "STRANGER", "-aec", "CXR-TRIAGE") != 0
        assert echo("-aet", "STORESCU", "-aec", "ANOTHER") != 0
