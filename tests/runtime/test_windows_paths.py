"""Long paths and odd names of Windows, and names as macOS gives them, played on Linux."""

import ntpath
import sys
import time
import unicodedata
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, cast

import pytest

from cxr_runtime import atomic, windows_paths
from cxr_runtime.atomic import write_bytes
from cxr_runtime.names import safe_name
from cxr_runtime.reports.heatmap_files import HeatmapFiles
from cxr_runtime.store.opening import sqlite_address
from cxr_runtime.windows_paths import as_it_is, plain, reachable

if TYPE_CHECKING:
    from cxr_runtime.heat.map import HeatView


@pytest.mark.parametrize(
    ("path", "opened"),
    [
        (r"C:\films\a.dcm", r"\\?\C:\films\a.dcm"),
        (r"C:/films/../night/a.dcm", r"\\?\C:\night\a.dcm"),
        (r"\\pacs\films\a.dcm", r"\\?\UNC\pacs\films\a.dcm"),
        (r"C:\films\ends with a dot.", r"\\?\C:\films\ends with a dot."),
        (r"C:\films\aux.dcm", r"\\?\C:\films\aux.dcm"),
        (r"\\?\C:\films\a.dcm", r"\\?\C:\films\a.dcm"),
        (r"\\.\NUL", r"\\.\NUL"),
    ],
)
def test_windows_opens_a_path_as_it_is(path: str, opened: str) -> None:
    assert as_it_is(path) == opened
    if ":" in path:
        assert plain(opened) == ntpath.normpath(path.removeprefix("\\\\?\\"))


def test_a_share_is_shown_without_the_prefix() -> None:
    assert plain(r"\\?\UNC\pacs\films") == r"\\pacs\films"


def test_elsewhere_a_path_stays_as_it_is() -> None:
    assert reachable(Path("films/a.dcm")) == Path("films/a.dcm")


def test_on_windows_a_relative_path_is_opened_from_where_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(Path, "cwd", lambda: r"C:\night")
    assert str(reachable(Path("films"))) == r"\\?\C:\night\films"


def locked(times: int, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Windows, where a file is open elsewhere for the first tries; gives the waits between them."""
    waits, replace = list[float](), Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if len(waits) < times:
            raise PermissionError(13, "Permission denied")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(time, "sleep", waits.append)
    monkeypatch.setattr(atomic, "reachable", lambda path: path)
    monkeypatch.setattr(sys, "platform", "win32")
    return waits


def test_a_file_that_a_virus_scanner_reads_is_replaced_a_moment_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = locked(3, monkeypatch)
    write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert waits == [*atomic.WAITS[:3]]


def test_a_file_that_stays_open_elsewhere_is_said_after_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = locked(99, monkeypatch)
    with pytest.raises(PermissionError):
        write_bytes(tmp_path / "a", b"new")
    assert sum(waits) == pytest.approx(1.05)
    assert not list(tmp_path.iterdir())


def test_a_picture_whose_name_the_disk_gives_with_accents_apart_is_known_again(tmp_path: Path) -> None:
    name = safe_name("é.png", "0" * 64)
    apart = unicodedata.normalize("NFD", f"{name}.png")  # as a Mac's older disks list it
    folder = tmp_path / "heatmaps"
    folder.mkdir()
    (folder / apart).write_bytes(b"")
    HeatmapFiles(tmp_path, cast("HeatView", None), frozenset(), lung_outline=False).remove_others({name})
    assert [path.name for path in folder.iterdir()] == [apart]
    assert windows_paths.reachable(folder) == folder


@pytest.mark.parametrize(
    ("path", "address"),
    [
        (PureWindowsPath(r"\\nas\results\triage.sqlite"), "file:////nas/results/triage.sqlite"),
        (PureWindowsPath(r"C:\a b\triage.sqlite"), "file:///C:/a%20b/triage.sqlite"),
        (PurePosixPath("/srv/50%/triage.sqlite"), "file:///srv/50%25/triage.sqlite"),
    ],
)
def test_sqlite_finds_a_store_on_a_share(path: PurePath, address: str) -> None:
    """With two slashes it takes the share's host for an authority, and refuses it (SQLite, URI filenames)."""
    assert sqlite_address(path) == address
