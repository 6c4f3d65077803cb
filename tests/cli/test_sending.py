"""`cxr-triage send`, as it is typed."""

from pathlib import Path

import pytest

from cxr_runtime.files import STORE_FILE
from dicom_archives import free_port, needs_dcmtk, storescp
from model_folders import write_model_folder
from sent_results import folder_with_results
from study_films import study_film
from typed_commands import exit_status


def test_send_says_in_one_line_what_it_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(folder_with_results(tmp_path / "out"))
    for arguments, status, expected in (
        ((out,), 2, "--to AET@HOST:PORT"),
        ((out, "--to", "nobody"), 2, "names no archive"),
        ((out, "--to", "PACS@host:104"), 2, "--identity none, full or pseudonym"),
        ((out, "--to", "PACS@host:104", "--identity", "full"), 1, "made with --identity none"),
        ((str(tmp_path), "--to", "PACS@host:104", "--identity", "none"), 1, "holds no triage.sqlite"),
    ):
        assert exit_status("send", *arguments) == status
        said = capsys.readouterr().err
        assert expected in said
        assert len(said.splitlines()) == 1


def test_send_to_an_archive_that_is_away_says_what_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, to = str(folder_with_results(tmp_path / "out")), f"PACS@127.0.0.1:{free_port()}"
    assert exit_status("send", out, "--to", to, "--identity", "none") == 3
    said = capsys.readouterr().out
    assert f"0 results sent to {to}, 3 wait to be sent; {to} cannot be reached" in said
    assert exit_status("send", out, "--status") == 3
    shown = capsys.readouterr().out
    assert f"to {to}: 0 sent, 3 waiting, 0 refused for good" in shown
    assert "next try after" in shown


def test_a_day_whose_store_is_damaged_keeps_no_other_day_from_being_tried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = [folder_with_results(tmp_path / f"2026-11-0{day}", first=day) for day in (1, 2)]
    (days[0] / STORE_FILE).write_bytes(b"\0" * 9000)
    to = f"PACS@127.0.0.1:{free_port()}"
    for arguments in (("--to", to, "--identity", "none"), ("--status",)):
        assert exit_status("send", str(tmp_path), *arguments) == 1
        said = capsys.readouterr()
        assert "3 wait" in said.out
        assert len(said.err.splitlines()) == 1
        assert str(days[0]) in said.err


@needs_dcmtk
@pytest.mark.peers
def test_send_ends_well_when_the_archive_has_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, port = str(folder_with_results(tmp_path / "2026-11-29").parent), free_port()
    to = f"PACS@localhost:{port}"
    with storescp(tmp_path / "got", port):
        assert exit_status("send", out, "--to", to, "--identity", "none", "--what", "sc,sr") == 0
        assert exit_status("send", out, "--to", to, "--identity", "none", "--what", "sc,sr") == 0
        assert exit_status("send", out, "--to", to, "--identity", "none", "--quiet") == 0
    assert capsys.readouterr().out.splitlines() == [f"2 results sent to {to}", f"{to} has all results"]
    assert len(list((tmp_path / "got").iterdir())) == 3
    assert exit_status("send", out, "--status") == 0


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Two films with studies of their own, and a model beside their folder."""
    folder = tmp_path / "films"
    folder.mkdir()
    for number in range(2):
        content = study_film(number, SOPInstanceUID=f"2.25.4711.{number + 10}")
        (folder / f"{number}.dcm").write_bytes(content)
    write_model_folder(tmp_path / "model")
    return folder


def options(films: Path, to: str) -> tuple[str, ...]:
    model = str(films.with_name("model"))
    fixed = ("--model", model, "--backend", "onnxruntime", "--workers", "1", "--format", "html")
    return (*fixed, "--to", to, "--identity", "none")


@needs_dcmtk
@pytest.mark.peers
def test_scan_sends_what_it_has_made_and_says_so(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port, out = free_port(), str(tmp_path / "out")
    arguments = ("scan", str(films), "--out", out, *options(films, f"PACS@localhost:{port}"))
    assert exit_status(*arguments) == 1
    assert "0 results sent" in capsys.readouterr().err
    with storescp(tmp_path / "got", port):
        assert exit_status(*arguments) == 0
        assert f"6 results sent to PACS@localhost:{port}" in capsys.readouterr().out
    assert len(list((tmp_path / "got").iterdir())) == 6


@needs_dcmtk
@pytest.mark.peers
def test_watch_sends_beside_the_scoring_and_once_more_at_its_end(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port, out = free_port(), tmp_path / "out"
    arguments = ("watch", str(films), "--out", str(out), *options(films, f"PACS@localhost:{port}"), "--once")
    with storescp(tmp_path / "got", port):
        assert exit_status(*arguments, "--dated") == 0
        assert exit_status("send", str(out), "--status") == 0
    assert "6 sent, 0 waiting, 0 refused" in capsys.readouterr().out
    assert len(list((tmp_path / "got").iterdir())) == 6


@pytest.mark.parametrize("command", ["scan", "watch"])
def test_nothing_is_scored_before_sending_is_as_it_should_be(
    command: str, films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    fixed = (command, str(films), "--out", str(out), "--to")
    for arguments, expected in (
        (("PACS@host:104",), "--identity none, full or pseudonym"),
        (("PACS", "--identity", "none"), "names no archive"),
        (("PACS@host:104", "--identity", "none", "--what", "png"), "--what"),
    ):
        assert exit_status(*fixed, *arguments) == 2
        said = capsys.readouterr().err
        assert expected in said
        assert len(said.splitlines()) == 1
    assert not out.exists()
