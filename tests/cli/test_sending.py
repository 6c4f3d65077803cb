"""`cxr-triage send`, as it is typed."""

from pathlib import Path

import pytest

from cxr_cli.main import main
from dicom_archives import free_port, needs_dcmtk, storescp
from sent_results import folder_with_results


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def test_send_says_in_one_line_what_it_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(folder_with_results(tmp_path / "out"))
    for arguments, status, expected in (
        ((out,), 2, "--to AET@HOST:PORT"),
        ((out, "--to", "nobody"), 2, "names no archive"),
        ((out, "--to", "PACS@host:104"), 2, "--identity none, full or pseudonym"),
        ((out, "--to", "PACS@host:104", "--identity", "full"), 1, "made with --identity none"),
        ((str(tmp_path), "--to", "PACS@host:104", "--identity", "none"), 1, "holds no triage.sqlite"),
    ):
        assert run("send", *arguments) == status
        said = capsys.readouterr().err
        assert expected in said
        assert len(said.splitlines()) == 1


def test_send_to_an_archive_that_is_away_says_what_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, to = str(folder_with_results(tmp_path / "out")), f"PACS@127.0.0.1:{free_port()}"
    assert run("send", out, "--to", to, "--identity", "none") == 3
    said = capsys.readouterr().out
    assert f"0 results sent to {to}, 3 wait to be sent; {to} cannot be reached" in said
    assert run("send", out, "--status") == 3
    shown = capsys.readouterr().out
    assert f"to {to}: 0 sent, 3 waiting, 0 refused for good" in shown
    assert "next try after" in shown


@needs_dcmtk
@pytest.mark.peers
def test_send_ends_well_when_the_archive_has_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, port = str(folder_with_results(tmp_path / "2026-11-29").parent), free_port()
    to = f"PACS@localhost:{port}"
    with storescp(tmp_path / "got", port):
        assert run("send", out, "--to", to, "--identity", "none", "--what", "sc,sr") == 0
        assert run("send", out, "--to", to, "--identity", "none", "--what", "sc,sr") == 0
        assert run("send", out, "--to", to, "--identity", "none", "--quiet") == 0
    assert capsys.readouterr().out.splitlines() == [f"2 results sent to {to}", f"{to} has all results"]
    assert len(list((tmp_path / "got").iterdir())) == 3
    assert run("send", out, "--status") == 0
