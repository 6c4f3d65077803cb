"""Results on their way to Orthanc while their service is killed, and Orthanc is away for a while."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cxr_runtime.sending.status import ArchiveStatus, status_of
from cxr_runtime.store.store import Store
from dicom_archives import free_port, needs_orthanc, orthanc
from fault_scans import START
from model_folders import write_model_folder
from processes import PATIENCE, Process, running, wait_until
from service_rows import rows_of
from study_films import SECRETS, study_film

FILMS = int(os.environ.get("CXR_TRIAGE_FILMS", "30"))  # CONTRIBUTING.md
RESULTS = 3 * FILMS


@dataclass(frozen=True)
class Clinic:
    """A watched folder whose results go to an archive."""

    place: Path
    archive_port: int

    @property
    def out(self) -> Path:
        """Its output folder."""
        return self.place / "out"

    @contextmanager
    def watching(self) -> Iterator[Process]:
        """A service in a process group of its own; whatever is left of it is killed."""
        to = ("--to", f"ORTHANC@127.0.0.1:{self.archive_port}", "--identity", "none")
        fixed = ("--model", "model", "--backend", "onnxruntime", "--workers", "1", "--format", "csv")
        with (
            (self.place / "log").open("ab") as log,
            running(
                [sys.executable, "-c", START, "watch", "in", "--out", "out", *to, *fixed],
                cwd=self.place,
                env={**os.environ, "CXR_TRIAGE_CACHE": str(self.place / "cache")},
                stdout=log,
                stderr=log,
            ) as process,
        ):
            yield process

    def said(self) -> str:
        """What the services printed."""
        return (self.place / "log").read_text(encoding="utf-8", errors="replace")

    def rows(self) -> int:
        """Films that have a row."""
        return rows_of(self.out)

    def status(self) -> ArchiveStatus:
        """What the store says of the archive."""
        (found,) = status_of(self.out)
        return found

    def made(self) -> list[str]:
        """SOP Instance UIDs of all results, as the store has them."""
        with Store.open(self.out) as store:
            return sorted(uid for (uid,) in store._db.execute("SELECT uid FROM objects"))


def arrives(folder: Path, number: int) -> None:
    """Put a film of a study of its own into a watched folder."""
    film, series = f"2.25.47.{number + 1}", f"2.25.48.{number + 1}"
    content = study_film(number, SOPInstanceUID=film, SeriesInstanceUID=series)
    (folder / f"{number:03}.dcm").write_bytes(content)


@pytest.mark.peers
@needs_orthanc
def test_each_result_is_in_the_archive_once_though_it_was_away_and_the_sender_was_killed_twice(
    tmp_path: Path,
) -> None:
    write_model_folder(tmp_path / "model")
    (tmp_path / "in").mkdir()
    for number in range(FILMS * 2 // 3):
        arrives(tmp_path / "in", number)
    ports = free_port(), free_port()
    clinic = Clinic(tmp_path, ports[0])
    with ExitStack() as is_there:
        archive = is_there.enter_context(orthanc(tmp_path / "orthanc", *ports))
        with clinic.watching() as service:
            wait_until(lambda: archive.new_instances() >= RESULTS // 6, clinic.said)
            os.killpg(service.pid, signal.SIGKILL)
        with clinic.watching() as service:
            wait_until(lambda: archive.new_instances() >= RESULTS // 3, clinic.said)
            is_there.close()
            for number in range(FILMS * 2 // 3, FILMS):
                arrives(tmp_path / "in", number)
            wait_until(lambda: clinic.rows() == FILMS and "archive-away" in clinic.said(), clinic.said)
            os.killpg(service.pid, signal.SIGKILL)
    assert clinic.status().waiting > 0
    with orthanc(tmp_path / "orthanc", *ports) as archive, clinic.watching() as service:
        wait_until(lambda: clinic.status().sent == RESULTS, clinic.said)
        os.killpg(service.pid, signal.SIGTERM)
        assert service.wait(timeout=PATIENCE) == 0, clinic.said()
        assert archive.uids() == clinic.made()
        assert archive.new_instances() == RESULTS == len(clinic.made())
    assert (clinic.status().waiting, clinic.status().refused) == (0, 0)
    said = clinic.said().encode()
    assert [secret for secret in (*SECRETS, b"Traceback") if secret in said] == []
