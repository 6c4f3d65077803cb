"""A receiver among well-behaved senders: what it takes, when it acknowledges, and what it keeps."""

import os
import stat
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from threading import Event

import pytest
from pydicom import dcmread
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    SecondaryCaptureImageStorage,
)
from pynetdicom import AE

from cxr_runtime.arrivals.receiver import inbox
from cxr_runtime.arrivals.receiver.inbox import Limits
from cxr_runtime.arrivals.receiver.receiver import Receiver, ReceiverOptions, accepted_syntaxes
from cxr_runtime.errors import CxrTriageError
from cxr_runtime.journal import Journal
from cxr_runtime.reading.dicom.syntaxes import SYNTAXES
from dicom_files import LOSSY
from dicom_peers import (
    RawPeer,
    association,
    echoes,
    film,
    fragment,
    names,
    receiving,
    store,
    store_command,
)
from processes import wait_until

STORED, OUT_OF_RESOURCES, OTHER_CLASS = 0x0000, 0xA700, 0xA900


def test_a_film_is_stored_under_its_own_digits_for_its_owner_alone(tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver:
        assert echoes(receiver.port)
        assert store(receiver.port, film(1), film(2)) == [STORED, STORED]
        given = list(receiver.take())
    assert sorted(each.path.name for each in given) == names(tmp_path)
    for each in given:
        assert sha256(each.path.read_bytes()).hexdigest() == each.path.stem
        sent = film(int(dcmread(each.path).SOPInstanceUID.split(".")[-1]))
        assert dcmread(each.path) == sent
        if sys.platform != "win32":
            assert stat.S_IMODE(each.path.stat().st_mode) == 0o600
            assert stat.S_IMODE(each.path.parent.stat().st_mode) == 0o700


def test_a_film_that_is_sent_again_is_one_film(tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver:
        assert store(receiver.port, film(1), film(1)) == [STORED, STORED]
        assert store(receiver.port, film(1), calling="XRAY2") == [STORED]
        assert len(list(receiver.take())) == 1
    with receiving(tmp_path) as receiver:
        assert len(list(receiver.take())) == 1  # the store knows whether it was scored
        assert store(receiver.port, film(1)) == [STORED]
        assert list(receiver.take()) == []
    assert len(names(tmp_path)) == 1


def test_every_class_and_every_transfer_syntax_that_is_read_is_taken(tmp_path: Path) -> None:
    taken = (
        ComputedRadiographyImageStorage,
        DigitalXRayImageStorageForPresentation,
        SecondaryCaptureImageStorage,
    )
    with receiving(tmp_path) as receiver:
        for sop_class in (*taken, CTImageStorage, DigitalXRayImageStorageForProcessing):
            ae = AE("XRAY1")
            for syntax in SYNTAXES:
                ae.add_requested_context(sop_class, syntax)
            sender = ae.associate("127.0.0.1", receiver.port, ae_title="CXR-TRIAGE")
            accepted = {str(each.transfer_syntax[0]) for each in sender.accepted_contexts}
            assert accepted == (set(SYNTAXES) if sop_class in taken else set())
            sender.release() if sender.is_established else sender.kill()


def test_of_several_transfer_syntaxes_a_lossless_one_is_taken() -> None:
    syntaxes = accepted_syntaxes()
    assert {UID(each) for each in SYNTAXES} == set(syntaxes)
    assert set(syntaxes[-len(LOSSY) :]) == set(LOSSY)


def test_a_film_is_acknowledged_only_when_it_and_its_name_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fails: set[str] = set()

    def step(name: str) -> Callable[[object], None]:
        def take(_: object) -> None:
            done.append(name)
            if name in fails:
                raise OSError

        return take

    monkeypatch.setattr(os, "fsync", step("film"))
    monkeypatch.setattr(inbox, "sync_folder", step("folder"))
    with receiving(tmp_path) as receiver:
        assert store(receiver.port, film(1)) == [STORED]
        assert done == ["film", "folder"]
        for one in ("film", "folder"):
            fails = {one}
            assert store(receiver.port, film(2)) == [OUT_OF_RESOURCES]
            assert len(names(tmp_path)) == 1
        fails = set()
        assert store(receiver.port, film(2)) == [STORED]
        assert len(list(receiver.take())) == 2


def test_a_film_is_refused_before_the_disk_is_full_and_the_next_one_may_be_stored(tmp_path: Path) -> None:
    with receiving(tmp_path, limits=Limits(free_bytes=1 << 60)) as receiver:
        assert store(receiver.port, film(1), film(2)) == [OUT_OF_RESOURCES, OUT_OF_RESOURCES]
        assert echoes(receiver.port)
    assert names(tmp_path) == []


def test_a_film_that_is_too_large_is_refused_and_the_next_one_is_stored(tmp_path: Path) -> None:
    large = film(1)
    large.ImageComments = "x" * 9000
    with receiving(tmp_path, limits=Limits(film_bytes=8000)) as receiver:
        assert store(receiver.port, large, film(2)) == [OUT_OF_RESOURCES, STORED]
    assert len(names(tmp_path)) == 1


def test_a_film_of_another_class_than_was_agreed_is_refused(tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver, association(receiver.port) as sender:
        other = film(1, SOPClassUID=SecondaryCaptureImageStorage)
        context = next(
            each for each in sender.accepted_contexts if each.abstract_syntax != "1.2.840.10008.1.1"
        )
        context.abstract_syntax = SecondaryCaptureImageStorage  # the sender forgets what was agreed
        assert sender.send_c_store(other).Status == OTHER_CLASS
    assert names(tmp_path) == []


def test_what_is_no_film_at_all_is_stored_too(tmp_path: Path) -> None:
    empty = film(1)
    del empty.PixelData
    with receiving(tmp_path) as receiver:
        assert store(receiver.port, empty) == [STORED]
        assert len(list(receiver.take())) == 1


def test_a_film_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver:
        with RawPeer(receiver.port) as peer:
            assert peer.associate() == 2
            peer.send(store_command() + fragment(b"x" * 1000))
            wait_until(lambda: receiver.waiting() == 1 and len(names(tmp_path)) == 1)
        wait_until(lambda: names(tmp_path) == [] and receiver.waiting() == 0)
        assert store(receiver.port, film(1)) == [STORED]


def test_after_a_kill_half_films_are_swept_and_whole_ones_are_given(tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver:
        store(receiver.port, film(1), film(2))
        arrived = [each.path.name for each in receiver.take()]
    (tmp_path / "received" / f".{'0a' * 16}.part").write_bytes(b"half a film")
    (tmp_path / "received" / "notes.txt").write_text("of somebody")
    with receiving(tmp_path) as receiver:
        assert [each.path.name for each in receiver.take()] == arrived
    assert names(tmp_path) == sorted([*arrived, "notes.txt"])


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver:
        second = Receiver(tmp_path / "other", ReceiverOptions(port=receiver.port), Journal())
        with pytest.raises(CxrTriageError, match="give another --port"):
            second.start(Event())
        second.close()
