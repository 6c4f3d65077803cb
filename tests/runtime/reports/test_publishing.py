"""Reports are made from the store alone; one that cannot be written keeps no other from it."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cxr_runtime.files import ReportFormat
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.scan import ScanSummary, scan
from model_folders import write_model_folder
from typed_commands import exit_status

REPORTS = ("results.csv", "worklist.html", "report.pdf")


@pytest.fixture
def again(tmp_path: Path) -> Callable[..., ScanSummary]:
    """Scans tmp_path/films, in which two films lie, into tmp_path/out."""
    model, films = write_model_folder(tmp_path / "model"), tmp_path / "films"
    films.mkdir()
    for number in range(2):
        (films / f"{number}.png").write_bytes(encode_png(draw_phantom(number, hw=(256, 256))))

    def again(*, force: bool = False) -> ScanSummary:
        formats = frozenset(ReportFormat)
        options = ScanOptions(tmp_path / "out", model, "onnxruntime", workers=1, formats=formats, force=force)
        return scan([films], options)

    return again


def lock(names: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of these names can be neither replaced nor removed, as if another program had them open."""
    replace, unlink = Path.replace, Path.unlink

    def refuse(path: Path) -> None:
        if path.name in names:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    def guarded_replace(self: Path, target: Path) -> Path:
        refuse(target)
        return replace(self, target)

    def guarded_unlink(self: Path, missing_ok: bool = False) -> None:
        refuse(self)
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "replace", guarded_replace)
    monkeypatch.setattr(Path, "unlink", guarded_unlink)


@pytest.mark.parametrize("locked", REPORTS)
def test_a_report_that_another_program_has_open_keeps_no_other_from_being_written(
    again: Callable[..., ScanSummary], locked: str, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        lock({locked}, patch)
        summary = again()
    assert summary.tally.scored == 2
    other = f"{Path(locked).stem}-new{Path(locked).suffix}"
    assert summary.refused == {locked: f"Permission denied; what it would say now is in {other}"}
    assert {name for name in REPORTS if (tmp_path / "out" / name).exists()} == {*REPORTS} - {locked}
    said = (tmp_path / "out" / other).read_bytes()
    later = again()
    assert (later.refused, later.finished_before) == ({}, 2)
    assert len((tmp_path / "out" / locked).read_bytes()) == pytest.approx(len(said), abs=200)  # its time
    assert not (tmp_path / "out" / other).exists()
    assert not list((tmp_path / "out").rglob("*.part"))


def test_a_folder_in_a_report_s_place_is_named(again: Callable[..., ScanSummary], tmp_path: Path) -> None:
    (tmp_path / "out" / "results.csv" / "kept").mkdir(parents=True)
    told = "Is a directory; what it would say now is in results-new.csv"
    assert again().refused == {"results.csv": told}
    assert (tmp_path / "out" / "results.csv" / "kept").is_dir()


def test_a_picture_that_a_viewer_shows_ends_no_scan_and_is_written_later(
    again: Callable[..., ScanSummary], tmp_path: Path
) -> None:
    again()
    (shown, *_) = sorted((tmp_path / "out" / "heatmaps").glob("0-*.png"))
    shown.write_bytes(b"as an earlier model drew it")
    with pytest.MonkeyPatch.context() as patch:
        lock({shown.name}, patch)
        assert again(force=True).refused == {f"heatmaps/{shown.name}": "Permission denied"}
        assert again().refused == {f"heatmaps/{shown.name}": "Permission denied"}
    assert again().refused == {}
    assert shown.read_bytes().startswith(b"\x89PNG")


def test_the_picture_of_a_film_that_has_gone_goes_and_what_is_not_ours_stays(
    again: Callable[..., ScanSummary], tmp_path: Path
) -> None:
    again()
    foreign = ["notes.txt", "0.png", "mine-0123456789ab.jpg", "mine-0123456789a.png"]
    for name in foreign:
        (tmp_path / "out" / "heatmaps" / name).write_text("not ours")
    (tmp_path / "films" / "0.png").unlink()
    again()
    left = {path.name for path in (tmp_path / "out" / "heatmaps").iterdir()}
    assert {*foreign} < left
    assert [name[:2] for name in sorted(left - {*foreign})] == ["1-", "1-"]  # of the other film: png and npz


def test_a_picture_of_no_row_that_cannot_be_removed_is_named(
    again: Callable[..., ScanSummary], tmp_path: Path
) -> None:
    again()
    (shown, *_) = (tmp_path / "out" / "heatmaps").glob("0-*.png")
    (tmp_path / "films" / "0.png").unlink()
    with pytest.MonkeyPatch.context() as patch:
        lock({shown.name}, patch)
        assert again().refused == {f"heatmaps/{shown.name}": "Permission denied"}
    assert again().refused == {}
    assert not shown.exists()


def test_the_command_line_names_the_report_and_exits_1(
    again: Callable[..., ScanSummary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    del again
    lock({"results.csv"}, monkeypatch)
    model = tmp_path / "model"
    assert exit_status("scan", tmp_path / "films", "--model", model, "--backend", "onnxruntime") == 1
    told = capsys.readouterr()
    assert told.out.startswith("2 films: 2 scored")
    assert told.err.splitlines()[-1].startswith(
        "cxr-triage: results.csv (Permission denied; what it would say now is in results-new.csv) could not "
        "be written; close the program that has it open"
    )
