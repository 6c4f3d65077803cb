import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from cxr_runtime.access import Access, shared_with
from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import StoreError, UsageError
from cxr_runtime.files import HEATMAPS_FOLDER, STORE_FILE
from cxr_runtime.store.folder import default_output_folder, held
from cxr_runtime.store.writer import StoreWriter

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX file system")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    path = tmp_path / "precious"
    path.write_bytes(b"of somebody else")
    return path


def test_the_output_lies_beside_the_first_input(tmp_path: Path) -> None:
    assert default_output_folder(str(tmp_path / "night")) == tmp_path / "night-cxr-triage"
    assert default_output_folder(f"{tmp_path}/night/") == tmp_path / "night-cxr-triage"
    assert default_output_folder(str(tmp_path / "night.zip")) == tmp_path / "night.zip-cxr-triage"


def test_the_working_folder_has_a_name_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "films").mkdir()
    monkeypatch.chdir(tmp_path / "films")
    assert default_output_folder(".") == tmp_path / "films-cxr-triage"


def test_two_scans_never_share_a_folder(tmp_path: Path) -> None:
    with held(tmp_path / "out"), pytest.raises(StoreError, match="another scan"), held(tmp_path / "out"):
        pass


def test_a_folder_is_free_again_after_a_scan(tmp_path: Path) -> None:
    for _ in range(2):
        with held(tmp_path / "out"):
            assert (tmp_path / "out" / "heatmaps").is_dir()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="--out"), held(tmp_path / "file" / "out"):
        pass


@posix
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_what_a_scan_makes_is_for_its_owner_alone(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        with held(tmp_path / "out"), StoreWriter.open(tmp_path / "out") as store:
            store.begin_run()
            found = {path.name: mode(path) for path in (tmp_path / "out").iterdir()}
    finally:
        os.umask(before)
    assert mode(tmp_path / "out") == found.pop(HEATMAPS_FOLDER) == 0o700
    assert {STORE_FILE, f"{STORE_FILE}-wal", ".scan.lock"} <= found.keys()
    assert set(found.values()) == {0o600}


@posix
def test_a_folder_that_is_there_keeps_the_permissions_its_owner_gave_it(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(0o755)
    with held(tmp_path / "out"):
        assert mode(tmp_path / "out") == 0o755


@posix
def test_a_group_may_read_what_is_shared_with_it_and_what_was_there_before(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with held(out), StoreWriter.open(out):
        write_bytes(out / "results.csv", b"", Access())
    group = Access(os.getgid())
    with held(out, group), StoreWriter.open(out, group):
        write_bytes(out / HEATMAPS_FOLDER / "a.png", b"", group)
        assert (mode(out), mode(out / HEATMAPS_FOLDER)) == (0o750, 0o750)
        for name in (STORE_FILE, "results.csv", f"{HEATMAPS_FOLDER}/a.png"):
            assert mode(out / name) == 0o640
            assert (out / name).stat().st_gid == os.getgid()


@posix
def test_a_group_that_is_not_there_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="--share-with 'no such group'"):
        shared_with("no such group")


@posix
@pytest.mark.parametrize("name", [HEATMAPS_FOLDER, STORE_FILE, f"{STORE_FILE}-wal", ".scan.lock"])
def test_a_link_in_the_folder_is_refused_and_not_followed(tmp_path: Path, precious: Path, name: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / name).symlink_to(tmp_path / "elsewhere" if name == HEATMAPS_FOLDER else precious)
    with pytest.raises(StoreError, match="is a link, expected a"), held(tmp_path / "out"):
        pass
    assert precious.read_bytes() == b"of somebody else"
    assert list((tmp_path / "elsewhere").iterdir()) == []


@posix
@pytest.mark.parametrize("name", [STORE_FILE, ".scan.lock", HEATMAPS_FOLDER])
def test_a_pipe_in_the_folder_is_not_waited_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "out").mkdir()
    os.mkfifo(tmp_path / "out" / name)
    with pytest.raises(StoreError, match="is a pipe"), held(tmp_path / "out"):
        pass


@posix
def test_a_report_takes_the_place_of_a_link_and_a_part_is_never_written_through_one(
    tmp_path: Path, precious: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cxr_runtime.atomic.get_ident", lambda: 1)
    (tmp_path / "results.csv").symlink_to(precious)
    (tmp_path / f".results.csv.{os.getpid()}.1.part").symlink_to(precious)
    write_bytes(tmp_path / "results.csv", b"rows")
    assert not (tmp_path / "results.csv").is_symlink()
    assert (tmp_path / "results.csv").read_bytes() == b"rows"
    assert precious.read_bytes() == b"of somebody else"


def test_what_a_killed_scan_left_half_written_is_swept_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    left = [".results.csv.17.140.part", ".report.pdf.17.140.part", "heatmaps/.a-b.png.17.140.part"]
    kept = ["notes.part", ".notes.txt.17.140.part", "heatmaps/.keep", ".monitor.html.17.140.part"]
    (folder / HEATMAPS_FOLDER).mkdir(parents=True)
    for name in (*left, *kept):
        (folder / name).write_bytes(b"")
    with held(folder):
        assert [name for name in (*left, *kept) if (folder / name).exists()] == kept


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_on_the_disk_before_it_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool
) -> None:
    done: list[str] = []

    def noted(name: str, call: Callable[..., object]) -> Callable[..., None]:
        def noting(*given: object) -> None:
            done.append(name)
            call(*given)

        return noting

    monkeypatch.setattr(os, "fsync", noted("sync", os.fsync))
    monkeypatch.setattr(Path, "replace", noted("replace", Path.replace))
    write_bytes(tmp_path / "results.csv", b"rows", durable=durable)
    folder = ["sync"] if os.name == "posix" else []
    assert done == (["sync", "replace", *folder] if durable else ["replace"])
