from collections.abc import Iterator

import pytest

pytest.importorskip("fsspec", reason="the extra `cluster` is not installed")

import fsspec

from cxr_runtime.errors import UnreadableFilmError, UsageError
from cxr_runtime.sources.remote import RemoteFile, RemoteSearch, is_url

OBJECTS = ("b.png", "a.dcm", "notes.txt", "week.zip", "ward/2.png", "ward/.hidden/3.png", "ward/DICOMDIR")


@pytest.fixture
def night() -> Iterator[str]:
    files = fsspec.filesystem("memory")
    for name in OBJECTS:
        files.pipe(f"/night/{name}", name.encode())
    yield "memory://night"
    files.rm("/night", recursive=True)


def test_objects_are_listed_by_folder_and_name_and_what_is_no_film_is_counted(night: str) -> None:
    search = RemoteSearch()
    found = [film.file for film in search.films(night)]
    assert found == [f"{night}/{name}" for name in ("a.dcm", "b.png", "week.zip", "ward/2.png")]
    assert search.passed_over == 2


def test_an_object_is_read_by_its_url_and_a_zip_file_is_not_opened(night: str) -> None:
    found = {film.file: film for film in RemoteSearch().films(night)}
    assert found[f"{night}/ward/2.png"].read_bytes() == b"ward/2.png"
    with pytest.raises(UnreadableFilmError, match="unpack it there"):
        found[f"{night}/week.zip"].read_bytes()


def test_one_object_may_be_named(night: str) -> None:
    [film] = RemoteSearch().films(f"{night}/b.png")
    assert (film.file, film.read_bytes()) == (f"{night}/b.png", b"b.png")


def test_an_object_that_is_gone_is_a_film_that_cannot_be_read(night: str) -> None:
    with pytest.raises(UnreadableFilmError, match="the object store does not give it") as told:
        RemoteFile("x", f"{night}/gone.png").read_bytes()
    assert told.value.code == "read-error"


def test_a_folder_that_is_not_there_and_a_store_of_no_known_kind_are_refused(night: str) -> None:
    with pytest.raises(UsageError, match="memory://nothing does not exist"):
        list(RemoteSearch().films("memory://nothing"))
    with pytest.raises(UsageError, match="names no object store"):
        list(RemoteSearch().films("gopher://night"))


@pytest.mark.filterwarnings("ignore")  # of the test's own store
def test_a_folder_without_a_name_hides_no_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that join `night/` and `/film.dcm` make one."""
    servers = pytest.importorskip("moto.server", reason="moto's object store is not installed")
    s3fs = pytest.importorskip("s3fs", reason="the extra `cluster` is not installed")
    server = servers.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in (
            ("ENDPOINT_URL", f"http://{host}:{port}"), ("DEFAULT_REGION", "us-east-1"),
            ("ACCESS_KEY_ID", "drawn"), ("SECRET_ACCESS_KEY", "drawn"),
        ):  # fmt: skip
            monkeypatch.setenv(f"AWS_{name}", value)
        files = s3fs.S3FileSystem()
        files.mkdir("hospital")
        keys = (
            "n/",
            "n/a.dcm",
            "n//b.dcm",
            "n//ward/c.dcm",
            "n//ward/.d.dcm",
            "n/x/",
            "n/x/e.dcm",
            "n/x//f.dcm",
        )
        for key in keys:
            files.pipe(f"hospital/{key}", b"" if key.endswith("/") else key.encode())
        found = {
            film.file.removeprefix("s3://hospital/"): film for film in RemoteSearch().films("s3://hospital/n")
        }
        assert list(found) == ["n/a.dcm", "n//b.dcm", "n//ward/c.dcm", "n/x/e.dcm", "n/x//f.dcm"]
        assert [film.read_bytes().decode() for film in found.values()] == list(found)
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
        server.stop()


@pytest.mark.parametrize(("name", "expected"), [
    ("s3://night/films", True), ("C:\\films", False), ("night/films", False), ("s3://", False),
])  # fmt: skip
def test_what_is_a_url(name: str, expected: bool) -> None:
    assert is_url(name) is expected
