"""Who may send: the list of titles and hosts, and certificates, checked with openssl's own."""

import ssl
from pathlib import Path

import pytest

from certificates import certificate, needs_openssl, openssl
from cxr_runtime.arrivals.receiver.inbox import Limits
from cxr_runtime.arrivals.receiver.peers import AllowList, Peer, allow_list, plain_address, tls_context
from cxr_runtime.errors import UsageError
from dicom_peers import RawPeer, receiving

ACCEPTED = 2  # A-ASSOCIATE-AC


def test_a_peer_is_a_title_at_one_host_or_at_any() -> None:
    assert Peer.parse("XRAY1") == Peer("XRAY1")
    assert Peer.parse(" XRAY1 @192.168.1.20") == Peer("XRAY1", frozenset({"192.168.1.20"}))
    assert Peer.parse("XRAY1@::1") == Peer("XRAY1", frozenset({"::1"}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@192.168.1.20",
        "A" * 17,
        "XRAY\\1",
        "XRÄY",
        "XRAY\n1",
        "XRAY1@",
        "XRAY1@no.such.host.invalid",
        "XRAY1@X@::1",
    ],
)
def test_what_names_no_peer_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError):
        Peer.parse(text)


def test_a_title_is_admitted_from_its_hosts_alone() -> None:
    allowed = allow_list(["XRAY1@192.168.1.20", "XRAY1@192.168.1.21", "XRAY2"], "0.0.0.0")
    assert allowed.admits("XRAY1", "192.168.1.21")
    assert allowed.admits("XRAY1 ", "::ffff:192.168.1.20")
    assert allowed.admits("XRAY2", "10.0.0.1")
    assert not allowed.admits("XRAY1", "192.168.1.22")
    assert not allowed.admits("", "192.168.1.20")
    assert allowed.knows_host("10.0.0.1")
    assert not AllowList(allowed.peers[:2]).knows_host("10.0.0.1")
    assert plain_address("fe80::1%eth0") == "fe80::1"


def test_without_a_list_this_machine_alone_may_send() -> None:
    assert allow_list([], "127.0.0.1").admits("ANY", "127.0.0.1")
    assert allow_list([], "::1").admits("ANY", "::1")
    with pytest.raises(UsageError, match="--host"):
        allow_list([], "no.such.host.invalid")
    for host in ("0.0.0.0", "::", "192.168.1.5"):
        with pytest.raises(UsageError, match="add --allow AET@HOST"):
            allow_list([], host)


@needs_openssl
def test_with_tls_only_senders_with_a_certificate_of_ours_are_let_in(tmp_path: Path) -> None:
    ours, authority = certificate(tmp_path, "receiver"), certificate(tmp_path, "authority")
    client, stranger = certificate(tmp_path, "xray", "authority"), certificate(tmp_path, "stranger")
    expired = certificate(tmp_path, "old", "authority", days=-1)

    def is_let_in(shown: Path | None) -> bool:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(ours)
        if shown is not None:
            context.load_cert_chain(shown)
        with RawPeer(receiver.port, context) as peer:
            return peer.associate() == ACCEPTED

    tls = tls_context(ours, None, authority)
    limits = Limits(request_seconds=20.0)
    with receiving(tmp_path / "out", tls=tls, limits=limits) as receiver, RawPeer(receiver.port):
        assert is_let_in(client)  # though the peer before it has said nothing yet
        assert not is_let_in(None)
        assert not is_let_in(stranger)
        assert not is_let_in(expired)
        with RawPeer(receiver.port) as plain:
            assert plain.associate() != ACCEPTED
        assert is_let_in(client)


@needs_openssl
def test_tls_that_is_never_negotiated_is_closed_in_time(tmp_path: Path) -> None:
    tls = tls_context(certificate(tmp_path, "receiver"), None, None)
    limits = Limits(request_seconds=0.3)
    with receiving(tmp_path / "out", tls=tls, limits=limits) as receiver:
        with RawPeer(receiver.port) as silent:
            assert silent.is_closed()
        with RawPeer(receiver.port) as slow:
            slow.send(b"\x16\x03\x01\x02\x00\x01")  # a handshake that begins
            assert slow.is_closed()


@needs_openssl
def test_certificates_that_cannot_be_used_are_wrong_usage(tmp_path: Path) -> None:
    ours, other = certificate(tmp_path, "receiver"), certificate(tmp_path, "other")
    (tmp_path / "text").write_text("no certificate")
    openssl(
        "ec", "-in", "receiver.key", "-aes256", "-passout", "pass:x", "-out", "locked.key", folder=tmp_path
    )
    for certificate_file, key, client_ca in [
        (None, ours, None),
        (None, None, ours),
        (tmp_path / "missing", None, None),
        (tmp_path / "text", None, None),
        (ours, tmp_path / "other.key", None),
        (tmp_path / "receiver.crt", tmp_path / "locked.key", None),
        (ours, None, tmp_path / "text"),
    ]:
        with pytest.raises(UsageError, match="--tls-cert"):
            tls_context(certificate_file, key, client_ca)
    assert tls_context(other, None, None) is not None
    assert tls_context(None, None, None) is None
