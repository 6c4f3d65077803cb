import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.uid import (
    ComprehensiveSRStorage,
    EncapsulatedPDFStorage,
    ImplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)
from pynetdicom import AE, evt
from pynetdicom.dimse_primitives import C_STORE

from cxr_runtime.files import DICOM_FOLDER
from cxr_runtime.journal import Journal
from cxr_runtime.reports.dicom.results import KINDS as MADE_KINDS
from cxr_runtime.sending.address import Address, tls_context
from cxr_runtime.sending.association import CLASSES, Archive, keep_answers
from cxr_runtime.sending.destination import KINDS, Answer, Outgoing, PeerError
from cxr_runtime.sending.sender import Sender
from cxr_runtime.store.deliveries import State
from dicom_archives import free_port, needs_dcmtk, storescp
from sent_results import folder_with_results
from study_films import SECRETS

Handle = Callable[[evt.Event], int]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_with_results(tmp_path_factory.mktemp("sent") / "out")


def outgoing(out: Path, kind: str = "sr") -> Outgoing:
    (path,) = (out / DICOM_FOLDER).glob(f"*-{kind}.dcm")
    return Outgoing(str(dcmread(path).SOPInstanceUID), path.read_bytes())


def archive(port: int, seconds: float = 30.0, title: str = "PACS") -> Archive:
    address = Address.parse(f"{title}@127.0.0.1:{port}")
    return Archive(address, object_seconds=seconds, reaching_seconds=seconds)


@contextmanager
def peer(
    handle: Handle,
    *,
    classes: tuple[str, ...] = CLASSES,
    title: str = "",
    context: ssl.SSLContext | None = None,
) -> Iterator[int]:
    """An archive of pynetdicom that answers as it is told; its port."""
    entity = AE(title or "PACS")
    entity.require_called_aet = bool(title)
    for sop_class in classes:
        entity.add_supported_context(sop_class, ImplicitVRLittleEndian)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, handle)], ssl_context=context
    )
    assert server is not None
    assert server.socket is not None
    try:
        yield int(server.socket.getsockname()[1])
    finally:
        server.shutdown()


def answer(out: Path, handle: Handle, kind: str = "sr", **options: Any) -> tuple[State, str]:
    with peer(handle, **options) as port, archive(port).line() as line:
        said = line.store(outgoing(out, kind))
    return said.state, said.said


def test_an_answer_is_kept_for_whoever_waits_and_the_associations_own_thread_takes_none() -> None:
    entity, said = AE("LAB"), C_STORE()
    entity.add_requested_context(ComprehensiveSRStorage)
    with peer(lambda _: 0) as port:
        association = entity.associate("127.0.0.1", port)
        keep_answers(association)
        association.dimse.msg_queue.put((1, said))
        assert association.dimse.get_msg(block=False) == (None, None)
        assert association.dimse.get_msg(block=True) == (1, said)
        association.release()


def test_each_kind_of_result_has_a_class_that_is_proposed() -> None:
    assert tuple(kind.name for kind in MADE_KINDS) == KINDS
    assert {kind.sop_class for kind in MADE_KINDS} == set(CLASSES)


@needs_dcmtk
@pytest.mark.peers
def test_dcmtk_gets_every_result_as_it_was_made(out: Path, tmp_path: Path) -> None:
    port = free_port()
    with (
        storescp(tmp_path / "got", port),
        Sender(lambda: [out], archive(port), frozenset(KINDS), Journal()) as sender,
    ):
        assert sender.round().sent == 3
    got = [dcmread(path) for path in (tmp_path / "got").iterdir()]
    made = {ds.SOPInstanceUID: ds for ds in map(dcmread, (out / DICOM_FOLDER).iterdir())}
    assert {ds.SOPInstanceUID for ds in got} == made.keys()
    assert all(ds == made[ds.SOPInstanceUID] for ds in got)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0x0000, State.SENT),
        (0xB000, State.SENT),
        (0xB007, State.SENT),
        (0x0107, State.SENT),
        (0xA700, State.WAITING),
        (0x0110, State.WAITING),
        (0xA900, State.REFUSED),
        (0xC123, State.REFUSED),
        (0x0122, State.REFUSED),
        (0x0124, State.REFUSED),
    ],
)
def test_a_status_is_taken_for_what_the_standard_says(out: Path, status: int, state: State) -> None:
    found, said = answer(out, lambda _: status)
    assert found is state
    assert (said == "") == (status == 0)
    assert f"0x{status:04X}" in said or status == 0


def test_what_is_sent_with_another_syntax_is_the_same_object(out: Path) -> None:
    got = list[bytes]()

    def keep(event: evt.Event) -> int:
        got.append(bytes(event.dataset.PatientName.original_string) + event.dataset.PixelData)
        return 0

    made = outgoing(out, "sc").dataset
    assert answer(out, keep, "sc") == (State.SENT, "")
    assert got == [bytes(made.PatientName.original_string) + made.PixelData]


def test_a_kind_that_an_archive_does_not_take_is_refused_and_the_others_are_sent(out: Path) -> None:
    takes = (SecondaryCaptureImageStorage, ComprehensiveSRStorage)
    with peer(lambda _: 0, classes=takes) as port, archive(port).line() as line:
        said = [line.store(outgoing(out, kind)).state for kind in KINDS]
    assert said == [State.SENT, State.REFUSED, State.SENT]
    assert EncapsulatedPDFStorage not in takes


def test_an_archive_that_does_not_know_us_says_so(out: Path) -> None:
    with (
        peer(lambda _: 0, title="ANOTHER") as port,
        pytest.raises(PeerError, match=r"must know our AE title CXR-TRIAGE and be called PACS"),
        archive(port).line(),
    ):
        pass


def test_an_archive_that_is_not_there_is_said_in_one_line() -> None:
    with (
        pytest.raises(PeerError, match=r"cannot be reached: nobody answers at 127.0.0.1"),
        archive(free_port()).line(),
    ):
        pass
    unknown = Archive(Address.parse("PACS@no-such-host.invalid:104"), reaching_seconds=30)
    with pytest.raises(PeerError, match=r"not known here|did not answer"), unknown.line():
        pass


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Somebody who accepts one connection; its port."""

    def accept() -> None:
        connection, _ = server.accept()
        with connection:
            serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        serving = threading.Thread(target=accept, daemon=True)
        serving.start()
        yield server.getsockname()[1]
        serving.join(60)


def test_an_archive_that_never_answers_is_given_up(out: Path) -> None:
    is_over = threading.Event()

    def silent(_: socket.socket) -> None:
        is_over.wait(60)

    with listening(silent) as port:
        with pytest.raises(PeerError), archive(port, 1.0).line():
            pass
        is_over.set()


def test_an_archive_that_hangs_over_a_result_is_given_up(out: Path) -> None:
    is_over = threading.Event()

    def hang(_: evt.Event) -> int:
        is_over.wait(60)
        return 0

    with peer(hang) as port:
        with pytest.raises(PeerError, match=r"did not answer|ended"), archive(port, 1.0).line() as line:
            line.store(outgoing(out))
        is_over.set()


def test_an_archive_that_stops_reading_is_given_up(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with peer(lambda _: 0) as port, archive(port, 2.0).line() as line:
        stuck = threading.Event()
        connection = line._association.dul.socket  # type: ignore[attr-defined]
        monkeypatch.setattr(connection, "send", lambda _: stuck.wait(60))
        with pytest.raises(PeerError, match=r"did not answer|ended"):
            line.store(outgoing(out, "sc"))
        stuck.set()


def test_an_archive_that_breaks_off_is_said(out: Path) -> None:
    def break_off(event: evt.Event) -> int:
        event.assoc.abort(block=False)
        return 0

    with peer(break_off) as port, pytest.raises(PeerError, match=r"ended"), archive(port).line() as line:
        line.store(outgoing(out))


def test_nothing_of_a_patient_is_written_out(out: Path, capfd: pytest.CaptureFixture[str]) -> None:
    answer(out, lambda _: 0xC000)
    captured = capfd.readouterr()
    assert [secret for secret in SECRETS if secret.decode() in captured.out + captured.err] == []


def tls_peer(certificate: tuple[Path, Path], *, asks: bool = False) -> ssl.SSLContext:
    """How an archive speaks TLS; `asks`: for a certificate of ours."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate[0])
    return context


def by_tls(out: Path, host: str, port: int, context: ssl.SSLContext) -> Answer:
    address = Address.parse(f"PACS@{host}:{port}")
    with Archive(address, tls=context, object_seconds=30, reaching_seconds=30).line() as line:
        return line.store(outgoing(out))


@pytest.mark.parametrize(
    ("host", "is_trusted", "is_taken"),
    [("localhost", True, True), ("127.0.0.1", True, False), ("localhost", False, False)],
)
def test_an_archive_behind_tls_must_be_the_one_that_is_named(
    host: str, is_trusted: bool, is_taken: bool, certificate: tuple[Path, Path], out: Path
) -> None:
    trusting = tls_context(certificate[0] if is_trusted else None, None, None)
    with peer(lambda _: 0, context=tls_peer(certificate)) as port:
        if is_taken:
            assert by_tls(out, host, port, trusting).state is State.SENT
        else:
            with pytest.raises(PeerError, match=r"no TLS with a certificate that is trusted"):
                by_tls(out, host, port, trusting)


def test_an_archive_that_asks_for_a_certificate_gets_ours(certificate: tuple[Path, Path], out: Path) -> None:
    with peer(lambda _: 0, context=tls_peer(certificate, asks=True)) as port:
        with pytest.raises(PeerError):
            by_tls(out, "localhost", port, tls_context(certificate[0], None, None))
        assert by_tls(out, "localhost", port, tls_context(certificate[0], *certificate)).state is State.SENT
