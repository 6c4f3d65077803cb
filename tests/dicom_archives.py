"""Archives as other people make them, started by a test at a free port: DCMTK's storescp, and Orthanc."""

import json
import os
import shutil
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

PATIENCE = 60.0  # seconds for what takes a few
PLACES = "/usr/bin:/usr/sbin:/usr/local/bin"  # pynetdicom brings a storescp of its own into environments
DICOMWEB = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
STORESCP = shutil.which("storescp", path=PLACES) or ""
ORTHANC = shutil.which("Orthanc", path=PLACES) or ""
needs_dcmtk = pytest.mark.skipif(not STORESCP, reason="DCMTK is not installed: no storescp")
needs_orthanc = pytest.mark.skipif(not ORTHANC, reason="Orthanc is not installed")
needs_dicomweb = pytest.mark.skipif(
    not (ORTHANC and DICOMWEB.exists()), reason="Orthanc's plugin for DICOMweb is not installed"
)
_plain = build_opener(ProxyHandler({}))


def free_port() -> int:
    """A port that nobody listens at just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def storescp(folder: Path, port: int, *options: str) -> Iterator[None]:
    """DCMTK's receiver, which writes what it gets into a folder."""
    folder.mkdir(exist_ok=True)
    command = [STORESCP, *options, "-od", str(folder), "-aet", "PACS", str(port)]
    with _running(command, folder.parent, port):
        yield


@dataclass(frozen=True)
class Orthanc:
    """Orthanc, for as long as it runs."""

    http_port: int
    login: str = ""  # name:password

    def get(self, path: str) -> Any:
        """What it says of itself as JSON."""
        return json.loads(self.read(path))

    def read(self, path: str) -> bytes:
        """What it gives at an address."""
        return self._asked(Request(f"http://127.0.0.1:{self.http_port}{path}"))

    def post(self, path: str, content: bytes) -> bytes:
        """What it answers to something that is given to it."""
        return self._asked(Request(f"http://127.0.0.1:{self.http_port}{path}", content))

    def _asked(self, request: Request) -> bytes:
        if self.login:
            request.add_header("Authorization", f"Basic {b64encode(self.login.encode()).decode()}")
        with _plain.open(request, timeout=PATIENCE) as answer:
            content: bytes = answer.read()
        return content

    def uids(self) -> list[str]:
        """SOP Instance UIDs of all that it has, each as often as it has it."""
        return sorted(each["MainDicomTags"]["SOPInstanceUID"] for each in self.get("/instances?expand"))

    def new_instances(self) -> int:
        """How often it has stored an object that it had not."""
        found, last, is_done = 0, 0, False
        while not is_done:
            page = self.get(f"/changes?limit=100&since={last}")
            found += sum(each["ChangeType"] == "NewInstance" for each in page["Changes"])
            last, is_done = page["Last"], page["Done"]
        return found

    def instance(self, uid: str) -> str:
        """Its own name of an object."""
        (found,) = (
            each for each in self.get("/instances?expand") if each["MainDicomTags"]["SOPInstanceUID"] == uid
        )
        return str(found["ID"])


@contextmanager
def orthanc(
    folder: Path, dicom_port: int, http_port: int, login: str = "", **settings: Any
) -> Iterator[Orthanc]:
    """Orthanc with its storage in a folder; started again there, it has what it had."""
    folder.mkdir(exist_ok=True)
    configuration = {
        "Name": "test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": http_port,
        "DicomPort": dicom_port,
        "DicomAet": "ORTHANC",
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "HttpServerEnabled": True,
        "OverwriteInstances": False,
        "StableAge": 1,
        "Plugins": [],
        **settings,
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration))
    with _running([ORTHANC, str(folder / "orthanc.json")], folder, dicom_port):
        archive = Orthanc(http_port, login)
        _wait_until_it_speaks(archive)
        yield archive


def _wait_until_it_speaks(archive: Orthanc) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            archive.get("/system")
        except (URLError, OSError):
            assert time.monotonic() < end
            time.sleep(0.05)
        else:
            return


@contextmanager
def _running(command: Sequence[str], folder: Path, port: int) -> Iterator[None]:
    with (folder / "archive.log").open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | {"LC_ALL": "C"}
        )
    try:
        end = time.monotonic() + PATIENCE
        while not _listens(port):
            assert process.poll() is None, (folder / "archive.log").read_text(errors="replace")
            assert time.monotonic() < end
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
