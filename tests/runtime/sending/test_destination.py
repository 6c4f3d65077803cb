import subprocess
from pathlib import Path

import pytest

from cxr_runtime.errors import StoreError, UsageError
from cxr_runtime.identity import IdentityKind
from cxr_runtime.sending.address import Address, parse_kinds, read_login, tls_context
from cxr_runtime.sending.destination import PeerError, within
from cxr_runtime.sending.options import SendingOptions, refuse_other_identity, said_identity
from sent_results import folder_with_results


@pytest.mark.parametrize(
    ("typed", "name", "host", "port", "path"),
    [
        ("PACS@10.0.0.5:104", "PACS@10.0.0.5:104", "10.0.0.5", 104, ""),
        ("MAIN PACS@Archive.Clinic:0104", "MAIN PACS@archive.clinic:104", "archive.clinic", 104, ""),
        ("PACS@[2001:DB8::1]:11112", "PACS@[2001:db8::1]:11112", "2001:db8::1", 11112, ""),
        (
            "https://pacs.clinic/dicom-web/",
            "https://pacs.clinic:443/dicom-web",
            "pacs.clinic",
            443,
            "/dicom-web",
        ),
        ("HTTP://Pacs:8042/dicom-web/studies", "http://pacs:8042/dicom-web", "pacs", 8042, "/dicom-web"),
        ("http://[::1]:8042", "http://[::1]:8042", "::1", 8042, ""),
    ],
)
def test_an_archive_has_one_name_however_it_is_typed(
    typed: str, name: str, host: str, port: int, path: str
) -> None:
    found = Address.parse(typed)
    assert (found.name, found.host, found.port, found.path) == (name, host, port, path)
    assert Address.parse(found.name) == found


@pytest.mark.parametrize(
    "typed",
    [
        "", "PACS", "PACS@host", "PACS@host:", "PACS@host:0", "PACS@host:70000", "@host:104", " @host:104",
        "A\\B@host:104", "SEVENTEENLETTERSS@host:104", "PACS@ho st:104", "PACS@:104", "PACS@host:104/x",
        "ftp://host/x", "https://", "https://host:x/", "https://host/a b", "https://host/\u00e4", "http://h\nx/",
        "PACS@pacs..clinic:104", "PACS@.clinic:104", f"PACS@{'h' * 64}:104", "http://pacs..clinic/",
    ],
)  # fmt: skip
def test_what_is_no_archive_is_refused_in_one_line(typed: str) -> None:
    with pytest.raises(UsageError) as refused:
        Address.parse(typed)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("typed", ["https://a:b@host/x", "https://host/x?password=b", "https://host/x#b"])
def test_an_address_holds_no_password(typed: str) -> None:
    with pytest.raises(UsageError, match="--login") as refused:
        Address.parse(typed)
    assert "b@" not in str(refused.value)


def test_kinds_are_those_that_there_are() -> None:
    assert parse_kinds("SR, sc") == {"sr", "sc"}
    for wrong in ("", ",", "sr,png"):
        with pytest.raises(UsageError, match="sc,pdf,sr"):
            parse_kinds(wrong)


def test_a_login_is_one_line_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "login"
    for encoding in ("utf-8", "utf-8-sig"):  # as editors of Windows write it
        file.write_text("clinic:pass:word\nmore", encoding=encoding)
        assert read_login(file) == "clinic:pass:word"
    file.write_text("nothing")
    with pytest.raises(UsageError, match="NAME:PASSWORD"):
        read_login(file)
    with pytest.raises(UsageError, match="cannot be read"):
        read_login(tmp_path / "missing")


def test_options_that_do_not_fit_the_archive_are_refused(tmp_path: Path) -> None:
    some = tmp_path / "some"
    some.write_text("a:b")
    for options, expected in (
        (SendingOptions("PACS@host:104", login=some), "--login is for http"),
        (SendingOptions("http://host/x", tls_ca=some), "https://"),
        (SendingOptions("https://host/x", tls_key=some), "--tls-cert"),
        (SendingOptions("PACS@host:104", tls_cert=some), "--tls-ca"),
        (SendingOptions("PACS@host:104", tls_ca=some), "PEM"),
        (SendingOptions("PACS@host:104", own_title="A\\B"), "--aet"),
    ):
        with pytest.raises(UsageError, match=expected):
            options.destination()


def test_a_key_with_a_password_is_refused_and_not_asked_for(tmp_path: Path) -> None:
    key, cert = tmp_path / "key", tmp_path / "cert"
    subject = ["-subj", "/CN=us", "-days", "1", "-passout", "pass:secret"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    subprocess.run([*made, "-keyout", str(key), "-out", str(cert), *subject], check=True, capture_output=True)
    with pytest.raises(UsageError, match="without a password"):
        tls_context(cert, cert, key)


def test_nothing_is_sent_before_somebody_has_said_what_results_may_carry(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--identity none, full or pseudonym") as refused:
        said_identity(None)
    assert "\n" not in str(refused.value)
    out = folder_with_results(tmp_path / "out")
    refuse_other_identity(out, said_identity("none"))
    with pytest.raises(StoreError, match="made with --identity none"):
        refuse_other_identity(out, IdentityKind.FULL)


def test_what_no_archive_says_is_trouble_of_the_archive_and_ends_no_service() -> None:
    def nonsense() -> None:
        raise ValueError("invalid literal for int() with base 16: b'-5'")

    with pytest.raises(PeerError, match="answers as no archive does"):
        within(5.0, nonsense, lambda: None)
