"""Results in Orthanc: what it shows and gives back is what was made."""

from io import BytesIO
from pathlib import Path

import cv2
import highdicom as hd
import numpy as np
import pytest
from pydicom import dcmread

from cxr_runtime.files import DICOM_FOLDER
from cxr_runtime.journal import Journal
from cxr_runtime.sending.address import Address
from cxr_runtime.sending.association import Archive
from cxr_runtime.sending.destination import KINDS, Destination
from cxr_runtime.sending.options import SendingOptions
from cxr_runtime.sending.sender import Sender, Sent
from dicom_archives import DICOMWEB, free_port, needs_dicomweb, needs_orthanc, orthanc
from sent_results import Clock, folder_with_results

pytestmark = [pytest.mark.peers, needs_orthanc]


def sent(out: Path, to: Destination, clock: Clock | None = None) -> Sent:
    with Sender(lambda: [out], to, frozenset(KINDS), Journal(), clock=clock or Clock()) as sender:
        return sender.round()


def made(out: Path, kind: str) -> bytes:
    (path,) = (out / DICOM_FOLDER).glob(f"*-{kind}.dcm")
    return path.read_bytes()


def uids(out: Path) -> list[str]:
    return sorted(str(dcmread(path).SOPInstanceUID) for path in (out / DICOM_FOLDER).iterdir())


def test_orthanc_shows_the_picture_and_gives_the_report_back(tmp_path: Path) -> None:
    out, dicom_port = folder_with_results(tmp_path / "out"), free_port()
    with orthanc(tmp_path / "orthanc", dicom_port, free_port()) as archive:
        assert sent(out, Archive(Address.parse(f"ORTHANC@127.0.0.1:{dicom_port}"))).sent == 3
        assert archive.uids() == uids(out)
        picture = dcmread(BytesIO(made(out, "sc")))
        shown = archive.read(f"/instances/{archive.instance(picture.SOPInstanceUID)}/preview")
        pixels = cv2.imdecode(np.frombuffer(shown, np.uint8), cv2.IMREAD_COLOR_RGB)
        assert pixels is not None
        assert np.array_equal(pixels, picture.pixel_array)
        report = dcmread(BytesIO(made(out, "sr")))
        back = archive.read(f"/instances/{archive.instance(report.SOPInstanceUID)}/file")
    content = hd.sr.srread(BytesIO(back)).content
    assert isinstance(content, hd.sr.MeasurementReport)
    assert dcmread(BytesIO(back)) == report
    assert len(content.get_image_measurement_groups()) == 1
    assert len(content.get_planar_roi_measurement_groups()) == 1


def test_an_archive_that_was_away_has_each_result_once(tmp_path: Path) -> None:
    out, ports, clock = folder_with_results(tmp_path / "out", 2), (free_port(), free_port()), Clock()
    to = Archive(Address.parse(f"ORTHANC@127.0.0.1:{ports[0]}"))
    with orthanc(tmp_path / "orthanc", *ports):
        assert sent(out, to, clock).sent == 6
    folder_with_results(out, 2, first=2)
    assert sent(out, to, clock).left == 6
    clock.pass_minutes(1)
    with orthanc(tmp_path / "orthanc", *ports) as archive:
        assert sent(out, to, clock).sent == 6
        assert archive.uids() == uids(out)


def test_an_object_that_orthanc_has_already_is_the_same_object(tmp_path: Path) -> None:
    out, dicom_port = folder_with_results(tmp_path / "out"), free_port()
    to = Archive(Address.parse(f"ORTHANC@127.0.0.1:{dicom_port}"))
    with orthanc(tmp_path / "orthanc", dicom_port, free_port()) as archive:
        for kind in KINDS:
            (path,) = (out / DICOM_FOLDER).glob(f"*-{kind}.dcm")
            archive.post("/instances", path.read_bytes())
        assert sent(out, to).sent == 3
        assert archive.uids() == uids(out)


@needs_dicomweb
def test_results_reach_orthanc_by_stow_rs(tmp_path: Path) -> None:
    out, port = folder_with_results(tmp_path / "out"), free_port()
    web = {"Enable": True, "Root": "/dicom-web/", "EnableWado": False}
    login = tmp_path / "login"
    login.write_text("clinic:secret\n")
    settings = {
        "Plugins": [str(DICOMWEB)],
        "DicomWeb": web,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {"clinic": "secret"},
    }
    with orthanc(tmp_path / "orthanc", free_port(), port, "clinic:secret", **settings) as archive:
        to = f"http://127.0.0.1:{port}/dicom-web"
        refused = sent(out, SendingOptions(to).destination())
        assert (refused.sent, refused.left) == (0, 3)
        assert "--login" in refused.trouble
        clock = Clock()
        clock.pass_minutes(2)
        assert sent(out, SendingOptions(to, login=login).destination(), clock).sent == 3
        assert archive.uids() == uids(out)
        report = dcmread(BytesIO(made(out, "sr")))
        back = archive.read(f"/instances/{archive.instance(report.SOPInstanceUID)}/file")
        assert dcmread(BytesIO(back)) == report
