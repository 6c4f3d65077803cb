"""Which files are films: the rules of the command line."""

import os
import pickle
import socket
import sqlite3
import stat
import sys
import zipfile
from pathlib import Path

import pytest

from cxr_runtime.errors import UnreadableFilmError, UsageError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.sources import film_source
from cxr_runtime.sources.film_source import FileOnDisk, FilmSource, OutOfReach
from cxr_runtime.sources.find import find_films, place_of
from cxr_runtime.store.writer import StoreWriter

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX file system")
not_root = pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")


def put(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode("utf-8", "surrogateescape"))


def listed(*inputs: str, exclude: Path | None = None) -> list[str]:
    return [source.file for source in find_films(inputs, exclude).sources]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_is_searched_to_its_depth_and_sorted(here: Path) -> None:
    put(here / "films", "b.png", "a.dcm", "sub/deeper/c.jpg", "sub/a.tif", "noending", "10.png", "9.png")
    expected = ["10.png", "9.png", "a.dcm", "b.png", "noending", "sub/a.tif", "sub/deeper/c.jpg"]
    assert listed("films") == [f"films/{name}" for name in expected]


@pytest.mark.parametrize(
    ("typed", "start"), [("films", "films/"), ("films/", "films/"), ("./films", "./films/")]
)
def test_a_film_is_named_as_typed_plus_the_path_below(here: Path, typed: str, start: str) -> None:
    put(here / "films", "sub/a.png")
    assert listed(typed) == [f"{start}sub/a.png"]
    absolute = str(here / "films")
    assert listed(absolute) == [f"{absolute}/sub/a.png"]


def test_the_current_folder_may_be_meant(here: Path) -> None:
    put(here, "a.png")
    assert listed(".") == ["./a.png"]


def test_inputs_keep_their_order_and_a_film_is_listed_once(here: Path) -> None:
    put(here, "b.png", "films/a.png", "films/b.png")
    assert listed("films/b.png", "b.png", "films", "b.png") == ["films/b.png", "b.png", "films/a.png"]


@pytest.mark.parametrize("other", ["films/../films/A.png", "link/A.png", "{here}/films/A.png"])
def test_a_film_is_listed_once_by_whatever_way_it_is_reached(here: Path, other: str) -> None:
    put(here / "films", "A.png", "b.png")
    (here / "link").symlink_to("films")
    typed = other.format(here=here)
    assert [source.file for source in find_films(["films/A.png", typed], None).sources] == ["films/A.png"]
    files = [source.file for source in find_films([typed, "films", str(here / "films")], None).sources]
    assert len([file for file in files if file.endswith("A.png")]) == 1


def test_kinds_that_cannot_be_films_are_counted(here: Path) -> None:
    names = [
        "DICOMDIR",
        "notes.txt",
        "table.CSV",
        "report.pdf",
        "page.html",
        "draw.py",
        "Thumbs.db",
        ".DS_Store",
    ]
    put(here / "films", "a.png", *names, ".thumbs/x.png", "sub/.hidden.png")
    found = find_films(["films"], None)
    assert [source.file for source in found.sources] == ["films/a.png"]
    assert found.passed_over == len(names) + 2  # the hidden folder counts as one


def test_folders_may_be_named_like_documents(here: Path) -> None:
    put(here / "films", "ward.txt/a.png", "dicomdir/b.png", "study.zip/c.png")
    assert listed("films") == ["films/dicomdir/b.png", "films/study.zip/c.png", "films/ward.txt/a.png"]


@pytest.mark.parametrize("name", ["notes.txt", ".hidden.png", "DICOMDIR", "draw.py"])
def test_a_file_named_on_the_command_line_is_always_tried(here: Path, name: str) -> None:
    put(here, name)
    found = find_films([name], None)
    assert [source.file for source in found.sources] == [name]
    assert found.passed_over == 0


@pytest.mark.parametrize("typed", ["missing.png", "missing/", "", "*.png", "a\0b"])
def test_an_input_that_is_not_there_is_wrong_usage(here: Path, typed: str) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        find_films([typed], None)


def test_an_object_store_is_read_by_a_cluster_alone(here: Path) -> None:
    with pytest.raises(UsageError, match="s3://night is in an object store; add --cluster local"):
        find_films(["s3://night"], None)


def test_a_pattern_that_the_shell_left_is_expanded(here: Path) -> None:
    put(here, "a1.png", "a2.png", "b.png", "sub/a3.png")
    assert listed("a*.png") == ["a1.png", "a2.png"]
    assert listed("**/a*.png") == ["a1.png", "a2.png", "sub/a3.png"]
    assert listed("s?b") == ["sub/a3.png"]


def test_a_name_with_pattern_signs_is_taken_literally_first(here: Path) -> None:
    put(here, "film[1].png", "film1.png")
    assert listed("film[1].png") == ["film[1].png"]


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("films", "films"),
        ("films/*.png", "films"),
        ("films/**/a[0-9].png", "films"),
        ("*.png", "."),
        ("film[1].png", "film[1].png"),
        ("no film", "no film"),
    ],
)
def test_a_pattern_begins_in_a_folder(here: Path, typed: str, place: str) -> None:
    put(here, "film[1].png", "films/a.png")
    assert place_of(typed) == place


def test_the_output_folder_is_never_scanned(here: Path) -> None:
    put(here / "films", "a.png", "out/b.png")
    assert listed("films", exclude=Path("films/out")) == ["films/a.png"]
    assert listed("films", exclude=Path("nowhere")) == ["films/a.png", "films/out/b.png"]
    assert listed("films/out", exclude=here / "films" / "out") == []


def test_a_folder_of_results_is_not_searched_and_is_named(here: Path) -> None:
    put(here / "films", "a.png", "old/heatmaps/b.png", "older/c.png")
    with StoreWriter.open(here / "films" / "old"):
        pass
    db = sqlite3.connect(here / "films" / "older" / STORE_FILE)
    db.execute("PRAGMA user_version=1")  # as 0.1.0 left it
    db.close()
    found = find_films(["films"], None)
    assert [source.file for source in found.sources] == ["films/a.png"]
    assert found.results == ("films/old", "films/older")


@pytest.mark.parametrize("content", [b"", b"films of Monday", b"SQLite format 3\0" + bytes(200)])
def test_films_do_not_vanish_behind_a_file_that_is_called_like_a_store(here: Path, content: bytes) -> None:
    put(here / "films", "ward/a.png")
    (here / "films" / "ward" / STORE_FILE).write_bytes(content)
    found = find_films(["films"], None)
    assert [source.file for source in found.sources] == ["films/ward/a.png"]
    assert (found.passed_over, found.results) == (1, ())


@posix
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_only_a_plain_file_marks_a_folder_of_results(here: Path, kind: str) -> None:
    put(here / "films", "ward/a.png")
    with StoreWriter.open(here):
        pass
    marker = here / "films" / "ward" / STORE_FILE
    if kind == "link":
        marker.symlink_to(here / STORE_FILE)
    else:
        os.mkfifo(marker)
    assert listed("films") == ["films/ward/a.png"]


@posix
def test_links_inside_an_input_are_followed_and_loops_of_folders_cut(here: Path) -> None:
    put(here / "films", "sub/a.png", "store/c.png")
    (here / "films" / "b.png").symlink_to(here / "films" / "store" / "c.png")
    (here / "films" / "sub" / "loop").symlink_to(here / "films")
    (here / "films" / "self").symlink_to("self")
    assert listed("films") == ["films/b.png", "films/self", "films/store/c.png", "films/sub/a.png"]


@posix
def test_a_link_that_leads_out_of_the_inputs_is_a_row_unless_it_is_to_be_followed(here: Path) -> None:
    put(here, "elsewhere/c.png", "films/a.png")
    (here / "films" / "b.png").symlink_to(here / "elsewhere" / "c.png")
    (here / "films" / "far").symlink_to(here / "elsewhere")
    (here / "films" / "twice").symlink_to("far")
    _, *outside = find_films(["films"], None).sources
    assert [(source.file, code_of(source)) for source in outside] == [
        ("films/b.png", "link-outside"), ("films/far", "link-outside"), ("films/twice", "link-outside"),
    ]  # fmt: skip
    followed = find_films(["films"], None, follow_links=True).sources
    assert [source.file for source in followed] == ["films/a.png", "films/b.png", "films/far/c.png"]


@posix
def test_a_link_may_lead_from_one_input_to_another_and_a_typed_link_is_meant(here: Path) -> None:
    put(here, "elsewhere/c.png", "films/a.png")
    (here / "films" / "b.png").symlink_to(here / "elsewhere" / "c.png")
    (here / "typed").symlink_to("elsewhere")
    assert listed("films", "elsewhere") == ["films/a.png", "films/b.png", "elsewhere/c.png"]
    assert listed("typed", "films") == ["typed/c.png", "films/a.png", "films/b.png"]


@posix
def test_a_broken_link_is_a_film_that_cannot_be_read(here: Path) -> None:
    put(here, "films/a.png")
    (here / "films" / "gone.png").symlink_to("nowhere.png")
    (_, gone) = find_films(["films"], None).sources
    assert code_of(gone) == "missing"


@posix
@pytest.mark.skipif(sys.platform == "darwin", reason="macOS takes only names in UTF-8")
def test_names_of_no_encoding_stay_openable(here: Path) -> None:
    name = os.fsdecode(b"r\xf6ntgen\n.png")
    put(here / "films", name, "胸部.png")
    first, second = find_films(["films"], None).sources
    assert (first.file, second.file) == ("films/r\\xf6ntgen\\x0a.png", "films/胸部.png")
    assert first.read_bytes() == os.fsencode(name)
    (again,) = find_films([f"films/{name}"], None).sources
    assert again.file == first.file
    first.file.encode("utf-8")


@posix
def test_names_that_look_the_same_when_spelt_out_are_films_of_their_own(here: Path) -> None:
    for name in ("a\nb.png", "a\\x0ab.png", "a\\x0ab.png (2)"):
        (here / "twins" / name).parent.mkdir(exist_ok=True)
        (here / "twins" / name).write_bytes(name.encode())
    found = find_films(["twins"], None).sources
    assert sorted(source.file for source in found) == [
        r"twins/a\x0ab.png", r"twins/a\x0ab.png (2)", r"twins/a\x0ab.png (2) (2)",
    ]  # fmt: skip
    assert len({source.read_bytes() for source in found}) == 3


def test_a_zip_file_cannot_hide_a_film_behind_the_name_of_its_member(here: Path) -> None:
    (here / "plain").mkdir()
    with zipfile.ZipFile(here / "plain" / "n.zip", "w") as archive:
        archive.writestr("a.png", b"in the zip file")
    (here / "plain" / "n.zip!a.png").write_bytes(b"beside it")
    found = find_films(["plain"], None).sources
    assert {source.file: source.read_bytes() for source in found} == {
        "plain/n.zip!a.png": b"in the zip file",
        "plain/n.zip!a.png (2)": b"beside it",
    }


def test_a_deep_tree_is_walked(here: Path) -> None:
    folder = here / "films"
    for _ in range(300):
        folder = folder / "d"
    folder.mkdir(parents=True)
    put(folder, "a.png")
    assert listed("films") == ["films/" + "d/" * 300 + "a.png"]


def test_sources_may_be_sent_to_another_process(here: Path) -> None:
    put(here, "a.png")
    (source,) = find_films(["a.png"], None).sources
    assert pickle.loads(pickle.dumps(source)) == source
    assert source.read_bytes() == b"a.png"
    failed = OutOfReach("x", UnreadableFilmError("missing", "not there"))
    assert code_of(pickle.loads(pickle.dumps(failed))) == "missing"


def test_a_file_that_vanished_is_missing(here: Path) -> None:
    put(here, "a.png")
    (source,) = find_films(["a.png"], None).sources
    (here / "a.png").unlink()
    assert code_of(source) == "missing"


def test_a_folder_in_the_place_of_a_file_is_not_read(here: Path) -> None:
    (here / "a.png").mkdir()
    assert code_of(FileOnDisk("a.png", here / "a.png")) == "not-a-file"


@posix
@pytest.mark.parametrize("kind", ["pipe", "pipe named like a zip", "socket"])
def test_pipes_and_sockets_are_never_opened(here: Path, kind: str) -> None:
    path = Path("film.zip" if "zip" in kind else "film.png")  # relative: paths of sockets are short
    if kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            (source,) = find_films([str(path)], None).sources
    else:
        os.mkfifo(path)
        (source,) = find_films(["."], None).sources
    assert code_of(source) == "not-a-file"


@posix
@not_root
def test_what_may_not_be_read_is_told(here: Path) -> None:
    put(here, "films/a.png", "films/locked/b.png")
    (here / "films" / "a.png").chmod(0)
    (here / "films" / "locked").chmod(0)
    try:
        found = find_films(["films"], None).sources
        assert [source.file for source in found] == ["films/a.png", "films/locked"]
        assert [code_of(source) for source in found] == ["no-permission", "no-permission"]
    finally:
        (here / "films" / "locked").chmod(stat.S_IRWXU)


def test_a_folder_that_cannot_be_listed_is_a_failed_row(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(here, "films/a.png", "films/sub/b.png")
    really = os.scandir

    def refuse(folder: Path) -> object:
        if Path(folder).name == "sub":
            raise PermissionError(13, "Permission denied")
        return really(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    first, second = find_films(["films"], None).sources
    assert (first.file, second.file) == ("films/a.png", "films/sub")
    assert code_of(second) == "no-permission"


def test_a_disk_error_is_told(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(here, "a.png")

    def fail(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(film_source, "open", fail, raising=False)
    source = FileOnDisk("a.png", here / "a.png")
    with pytest.raises(UnreadableFilmError, match="Input/output error") as caught:
        source.read_bytes()
    assert caught.value.code == "read-error"


def test_a_file_beyond_the_limit_is_not_read(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(here, "a.png")
    monkeypatch.setattr(film_source, "MAX_FILE_BYTES", 4)
    assert code_of(FileOnDisk("a.png", here / "a.png")) == "too-large"


def code_of(source: FilmSource) -> str:
    with pytest.raises(UnreadableFilmError) as caught:
        source.read_bytes()
    assert "\n" not in caught.value.sentence
    return caught.value.code


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not say what a file has on the disk")
def test_a_large_file_that_is_empty_for_the_most_part_is_not_read(here: Path) -> None:
    with (here / "a.png").open("wb") as file:
        file.write(b"\x89PNG")
        file.truncate(1 << 28)
    assert code_of(FileOnDisk("a.png", here / "a.png")) == "too-large"
