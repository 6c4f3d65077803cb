"""Senders that break the rules: they lose nothing of others, get nothing, and are let in nowhere."""

import re
import socket
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from io import StringIO
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom.dimse_primitives import C_FIND, N_EVENT_REPORT

from cxr_runtime.arrivals.receiver import server
from cxr_runtime.arrivals.receiver.inbox import Limits
from cxr_runtime.arrivals.receiver.peers import AllowList, Peer
from cxr_runtime.arrivals.receiver.receiver import Receiver
from cxr_runtime.journal import Journal, LogFormat
from dicom_peers import (
    CONTEXT,
    DX,
    PATIENCE,
    RawPeer,
    association,
    association_request,
    echoes,
    film,
    fragment,
    names,
    pdu,
    receiving,
    store_command,
)
from processes import wait_until

ACCEPTED, REJECTED, CLOSED = 2, 3, 0
STORED, OUT_OF_RESOURCES = 0x0000, 0xA700
GIANT = 0xFFFFFFF0  # bytes that a PDU claims
COMMAND, LAST = 1, 2  # header of a fragment (PS3.8 E.2)
IMPATIENT = Limits(request_seconds=0.3, idle_seconds=0.3)
MANY = 100  # associations at once
SEEDS = 150  # of broken PDUs


def lets_in(port: int) -> bool:
    """Whether there is a place for another sender."""
    with RawPeer(port) as peer:
        return peer.associate() == ACCEPTED


def is_well(receiver: Receiver, out: Path) -> bool:
    """Whether an honest sender finds the receiver as it should be."""
    wait_until(lambda: lets_in(receiver.port))
    before = len(names(out))
    wait_until(lambda: is_taken(receiver.port, film(before)))  # on a busy machine an honest one is slow, too
    return len(names(out)) == before + 1


def is_taken(port: int, film: Dataset) -> bool:
    """Whether a film is acknowledged."""
    with association(port) as sender, suppress(RuntimeError):  # the association ended just now
        return sender.is_established and sender.send_c_store(film).get("Status") == STORED
    return False


def test_only_titles_and_hosts_of_the_list_are_let_in(tmp_path: Path) -> None:
    here, elsewhere = frozenset({"127.0.0.1"}), frozenset({"192.0.2.1"})
    allowed = AllowList((Peer("XRAY1", here), Peer("XRAY2"), Peer("XRAY3", elsewhere)))
    with receiving(tmp_path, allowed=allowed) as receiver:
        assert echoes(receiver.port, calling="XRAY1")
        assert echoes(receiver.port, calling="XRAY2")
        for calling in ("XRAY3", "xray1", "XRAY", "ANY", "XRAY1 XRAY2"):
            with association(receiver.port, calling=calling) as sender:
                assert sender.is_rejected
        with association(receiver.port, called="OTHER") as sender:
            assert sender.is_rejected
    with (
        receiving(tmp_path, allowed=AllowList((Peer("XRAY1", elsewhere),))) as receiver,
        RawPeer(receiver.port) as peer,
    ):
        assert peer.associate() == CLOSED


def test_nothing_is_taken_from_whoever_was_rejected(tmp_path: Path) -> None:
    with receiving(tmp_path, allowed=AllowList((Peer("XRAY1"),))) as receiver:
        with RawPeer(receiver.port) as peer:
            assert peer.associate("STRANGER") == REJECTED
            peer.send(store_command() + fragment(b"x" * 1000, LAST))
            assert peer.is_closed()
        with RawPeer(receiver.port) as peer:  # and none asked for an association
            peer.send(store_command() + fragment(b"x" * 1000, LAST))
            assert peer.is_closed()
        assert names(tmp_path) == []
        assert is_well(receiver, tmp_path)


def test_of_a_hundred_associations_at_once_the_limit_is_let_in_and_the_next_sender_after_them(
    tmp_path: Path,
) -> None:
    answers: list[int] = []
    with receiving(tmp_path, limits=Limits(associations=4)) as receiver, ExitStack() as closing:
        peers = [closing.enter_context(RawPeer(receiver.port)) for _ in range(MANY)]
        assert peers[-1].is_closed()  # it came last: all others have been let in or closed by now
        threads = [
            threading.Thread(target=lambda p=peer: answers.append(p.associate()), daemon=True)
            for peer in peers[:-1]
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert [answers.count(each) for each in (ACCEPTED, REJECTED, CLOSED)] == [4, 4, MANY - 9]
        closing.close()
        assert is_well(receiver, tmp_path)


def test_connections_that_end_at_once_hold_no_place(tmp_path: Path) -> None:
    with receiving(tmp_path, limits=Limits(associations=2, request_seconds=3600)) as receiver:
        for _ in range(20):
            with RawPeer(receiver.port):
                pass
        assert is_well(receiver, tmp_path)


def test_connections_that_say_nothing_are_closed_in_time(tmp_path: Path) -> None:
    with receiving(tmp_path, limits=Limits(associations=2, request_seconds=0.3)) as receiver:
        with ExitStack() as closing:
            peers = [closing.enter_context(RawPeer(receiver.port)) for _ in range(4)]
            assert all(peer.is_closed() for peer in peers)
        assert is_well(receiver, tmp_path)


@pytest.mark.parametrize("kind", [1, 4, 7])
@pytest.mark.parametrize("is_associated", [False, True])
def test_a_pdu_that_claims_gigabytes_is_not_read(tmp_path: Path, kind: int, is_associated: bool) -> None:
    with receiving(tmp_path) as receiver:
        with RawPeer(receiver.port) as peer:
            if is_associated:
                assert peer.associate() == ACCEPTED
            peer.send(bytes([kind, 0]) + GIANT.to_bytes(4, "big"))
            assert peer.is_closed()  # at once, though nothing of it was sent
        assert is_well(receiver, tmp_path)


@pytest.mark.parametrize("is_associated", [False, True])
def test_a_pdu_that_comes_too_slowly_is_not_waited_for(tmp_path: Path, is_associated: bool) -> None:
    with receiving(tmp_path, limits=IMPATIENT) as receiver:
        with RawPeer(receiver.port) as peer:
            if is_associated:
                assert peer.associate() == ACCEPTED
            peer.send(bytes([4 if is_associated else 1, 0, 0, 0, 100, 0]))
            while peer.send(b"x"):
                time.sleep(0.02)
        assert is_well(receiver, tmp_path)


def test_a_transfer_that_never_ends_fills_neither_disk_nor_time(tmp_path: Path) -> None:
    limits = Limits(film_bytes=100_000, film_seconds=1.0)
    with receiving(tmp_path, limits=limits) as receiver:
        with RawPeer(receiver.port) as peer:
            assert peer.associate() == ACCEPTED
            peer.send(store_command())
            sent = 0
            while peer.send(fragment(b"x" * 10_000)):
                sent += 10_000
                if sent > 2 * limits.film_bytes:
                    wait_until(lambda: names(tmp_path) == [])
                    time.sleep(0.01)
        assert is_well(receiver, tmp_path)


def test_a_silent_association_is_ended(tmp_path: Path) -> None:
    with receiving(tmp_path, limits=Limits(idle_seconds=0.3)) as receiver:
        with RawPeer(receiver.port) as peer:
            assert peer.associate() == ACCEPTED
            peer.send(store_command() + fragment(b"x" * 100))
            assert peer.is_closed()
        wait_until(lambda: names(tmp_path) == [])
        assert is_well(receiver, tmp_path)


@pytest.mark.parametrize("instance", ["../../../../tmp/film", "/etc/film", "..\\film", "1.2/../3", "x" * 64])
def test_a_path_in_a_uid_leads_nowhere(tmp_path: Path, instance: str) -> None:
    out = tmp_path / "a" / "b" / "out"
    out.mkdir(parents=True)
    with receiving(out) as receiver, RawPeer(receiver.port) as peer:
        assert peer.associate() == ACCEPTED
        peer.send(store_command(instance) + fragment(b"x" * 100, LAST))
        assert peer.answer()[:1] == b"\x04"  # a response
        (given,) = receiver.take()
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == [given.path]
        assert given.path.stem.isalnum()


def test_broken_pdus_end_their_association_alone(tmp_path: Path) -> None:
    random = Random(18)
    sound = [
        association_request(),
        store_command(),
        fragment(b"x" * 50, LAST),
        fragment(b"", LAST),
        pdu(5, bytes(4)),
    ]
    with receiving(tmp_path, limits=Limits(request_seconds=0.2, idle_seconds=0.2)) as receiver:
        for seed in range(SEEDS):
            broken = bytearray(random.choice(sound))
            for _ in range(random.randint(1, 8)):
                broken[random.randrange(len(broken))] = random.randrange(256)
            with RawPeer(receiver.port) as peer:
                if seed % 3:
                    peer.associate()
                peer.send(bytes(broken) + random.choice(sound))
        assert echoes(receiver.port)
        wait_until(lambda: receiver.waiting() == len(list((tmp_path / "received").glob("*.dcm"))))
        assert not [name for name in names(tmp_path) if name.endswith(".part")]


@pytest.mark.parametrize(
    "said",
    [
        fragment(b"x" * 100),  # a data set without a command
        fragment(b"x" * 3000, COMMAND) * 2,  # a command without an end
        store_command() * 2,  # a command within a data set
        store_command() + fragment(b"x", LAST) + store_command() + fragment(b"y", LAST),  # none was answered
        pdu(4, b"\0\0\0\1\1"),  # a fragment without a header
        pdu(4, b"\xff\xff\xff\xff\1\0"),  # one that claims gigabytes
        fragment(bytes(range(256)), COMMAND | LAST),  # no command
        store_command("") + fragment(b"x", LAST),  # of no film
        association_request(),  # a second time
    ],
)
def test_what_the_protocol_does_not_allow_ends_the_association(tmp_path: Path, said: bytes) -> None:
    with receiving(tmp_path) as receiver:
        with RawPeer(receiver.port) as peer:
            assert peer.associate() == ACCEPTED
            peer.send(said)
            answers = []
            while answer := peer.answer():
                answers.append(answer[0])
            assert answers[-1:] in ([7], [])  # A-ABORT, or closed
        assert is_well(receiver, tmp_path)


def test_every_refusal_is_told_of_though_they_come_at_once(tmp_path: Path) -> None:
    said, dx = StringIO(), association_request()
    allowed = AllowList((Peer("XRAY1"),))
    with receiving(tmp_path, Journal.open(None, LogFormat.TEXT, said), allowed=allowed) as receiver:
        with RawPeer(receiver.port) as peer:
            assert peer.associate("XRAY1".ljust(16, "\0")) == ACCEPTED  # as some devices fill it up
        for _ in range(3):
            with RawPeer(receiver.port) as peer:
                assert peer.associate("XRAY2") == REJECTED
            with RawPeer(receiver.port) as peer:
                peer.send(dx.replace(b"XRAY1", b"X\xffAY1"))
                assert peer.is_closed()
        with RawPeer(receiver.port) as peer:
            peer.send(dx.replace(DX.encode(), DX.replace("1.1.1", "9.9.9").encode()))
            assert (peer.answer() or b"\0")[0] == ACCEPTED
        wait_until(lambda: "no-class" in said.getvalue())
    told = Counter[str]()
    for line in said.getvalue().splitlines():
        if found := re.search(r" refused reason=(\S+) times=(\d+) host=127-0-0-1", line):
            told[found[1]] += int(found[2])
    assert told == {"calling-title": 3, "malformed": 3, "no-class": 1}


def test_on_windows_no_other_program_can_listen_at_the_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There SO_REUSEADDR lets several programs bind a port."""
    asked = list[int]()

    class Noting(socket.socket):
        def setsockopt(self, _level: int, name: int, *_value: Any) -> None:
            asked.append(name)

    monkeypatch.setattr(server, "sys", SimpleNamespace(platform="win32"))
    monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", -5, raising=False)
    monkeypatch.setattr(socket, "socket", Noting)
    with receiving(tmp_path):
        assert asked == [-5]


@pytest.mark.parametrize("request_of", [C_FIND, N_EVENT_REPORT])
def test_other_services_than_echo_and_store_end_the_association(
    tmp_path: Path, request_of: type[C_FIND | N_EVENT_REPORT]
) -> None:
    with receiving(tmp_path) as receiver:
        with association(receiver.port) as sender:
            request = request_of()
            request.MessageID = 1
            request.AffectedSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
            if isinstance(request, N_EVENT_REPORT):
                request.AffectedSOPInstanceUID, request.EventTypeID = "1.2.3", 1
            else:
                request.Priority = 0
            sender.dimse.send_msg(request, 2 * CONTEXT + 1)
            wait_until(lambda: not sender.is_established)
        assert is_well(receiver, tmp_path)
