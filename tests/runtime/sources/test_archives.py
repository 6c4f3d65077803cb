"""Zip files: their members are films of their own, within limits."""

import os
import struct
import warnings
import zipfile
from pathlib import Path

import pytest

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.sources import archives
from cxr_runtime.sources.film_source import FilmSource
from cxr_runtime.sources.find import find_films


def pack(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def sources_of(path: Path) -> tuple[FilmSource, ...]:
    return tuple(find_films([str(path)], None).sources)


def code_of(source: FilmSource) -> str:
    with pytest.raises(UnreadableFilmError) as caught:
        source.read_bytes()
    assert "\n" not in caught.value.sentence
    return caught.value.code


def test_members_are_films_named_after_the_zip_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pack(tmp_path / "night.zip", {"sub/film.png": b"2", "a.dcm": b"1", "胸.png": b"3", "folder/": b""})
    found = tuple(find_films(["night.zip"], None).sources)
    assert [source.file for source in found] == [
        "night.zip!a.dcm",
        "night.zip!sub/film.png",
        "night.zip!胸.png",
    ]
    assert [source.read_bytes() for source in found] == [b"1", b"2", b"3"]


def test_zip_files_below_a_folder_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "films").mkdir()
    pack(tmp_path / "films" / "b.ZIP", {"x.png": b"x"})
    (tmp_path / "films" / "a.png").write_bytes(b"a")
    found = tuple(find_films(["films"], None).sources)
    assert [source.file for source in found] == ["films/a.png", "films/b.ZIP!x.png"]


def test_members_that_cannot_be_films_are_counted(tmp_path: Path) -> None:
    names = ["notes.txt", "sub/DICOMDIR", ".hidden.png", ".git/x.png", "__MACOSX/._a.png"]
    path = pack(tmp_path / "a.zip", dict.fromkeys(["./a.png", *names], b"x"))
    found = find_films([str(path)], None)
    assert [source.file for source in found.sources] == [f"{path}!./a.png"]
    assert found.passed_over == len(names)


def test_an_empty_zip_file_holds_no_film(tmp_path: Path) -> None:
    assert sources_of(pack(tmp_path / "a.zip", {})) == ()


@pytest.mark.parametrize(
    "name", ["../evil.png", "a/../../evil.png", "/etc/evil.png", "C:\\evil.png", "..\\evil.png"]
)
def test_a_name_that_leads_outside_is_a_failed_film(tmp_path: Path, name: str) -> None:
    (source,) = sources_of(pack(tmp_path / "a.zip", {name: b"x"}))
    assert code_of(source) == "unsafe-name"


def test_a_zip_file_within_a_zip_file_is_not_opened(tmp_path: Path) -> None:
    inner = pack(tmp_path / "inner.zip", {"a.png": b"x"})
    (source,) = sources_of(pack(tmp_path / "outer.zip", {"inner.zip": inner.read_bytes()}))
    assert source.file.endswith("outer.zip!inner.zip")
    assert source.read_bytes()[:4] == b"PK\x03\x04"  # which reading then calls no film


@pytest.mark.parametrize("content", [b"", b"not a zip file", b"PK\x03\x04 cut off"])
def test_a_damaged_zip_file_is_one_failed_film(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    (source,) = sources_of(path)
    assert source.file == str(path)
    assert code_of(source) == "archive-damaged"


def test_a_damaged_member_is_a_failed_film_of_its_own(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"a.png": os.urandom(500), "b.png": b"sound"})
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF
    path.write_bytes(content)
    first, second = sources_of(path)
    assert code_of(first) == "archive-damaged"
    assert second.read_bytes() == b"sound"


def test_any_damage_is_told_and_nothing_else_raised(tmp_path: Path) -> None:
    whole = pack(tmp_path / "whole.zip", {"a.png": b"pixels" * 50, "b.dcm": os.urandom(300)}).read_bytes()
    for place in range(0, len(whole), 7):
        path = tmp_path / f"{place}.zip"
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x5A]) + whole[place + 1 :])
        for source in sources_of(path):
            try:
                assert isinstance(source.read_bytes(), bytes)
            except UnreadableFilmError as error:
                assert error.code  # noqa: PT017 - either outcome is right


def test_an_encrypted_member_is_told(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"a.png": b"x"}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    (source,) = sources_of(path)
    assert code_of(source) == "encrypted"


def test_an_unknown_compression_is_told(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"a.png": b"x"}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[8] = content[content.index(b"PK\x01\x02") + 10] = 99
    path.write_bytes(content)
    (source,) = sources_of(path)
    assert code_of(source) == "unsupported"


@pytest.mark.parametrize(("limit", "value"), [("MAX_MEMBERS", 2), ("MAX_TOTAL_BYTES", 20)])
def test_a_zip_file_beyond_the_limits_is_one_failed_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(archives, limit, value)
    path = pack(tmp_path / "a.zip", {f"{number}.png": b"x" * 10 for number in range(3)})
    (source,) = sources_of(path)
    assert source.file == str(path)
    assert code_of(source) == "too-large"


def test_a_member_that_swells_beyond_reason_is_not_unpacked(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"bomb.png": bytes(20 << 20), "flat.png": bytes(1 << 20)})
    bomb, flat = sources_of(path)
    assert code_of(bomb) == "too-large"
    assert flat.read_bytes() == bytes(1 << 20)


def test_a_member_beyond_the_limit_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBER_BYTES", 5)
    (source,) = sources_of(pack(tmp_path / "a.zip", {"a.png": b"123456"}))
    assert code_of(source) == "too-large"


def test_a_zip_file_that_changed_is_opened_anew(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"a.png": b"1", "b.png": b"2"})
    first, second = sources_of(path)
    assert first.read_bytes() == b"1"
    pack(tmp_path / "new.zip", {"a.png": b"changed"}).replace(path)
    assert first.read_bytes() == b"changed"
    assert code_of(second) == "missing"
    path.unlink()
    assert code_of(first) == "missing"


def test_two_members_of_one_name_are_two_films(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("a.png", b"first")
        archive.writestr("a.png", b"second")
    found = sources_of(path)
    assert [source.file for source in found] == [f"{path}!a.png", f"{path}!a.png (2)"]
    assert [source.read_bytes() for source in found] == [b"first", b"second"]
    assert len({source.stamp for source in found}) == 2


@pytest.mark.filterwarnings("ignore:Overlapped entries")  # Python 3.13 and newer say so, too
def test_two_names_of_one_place_are_two_rows_of_which_the_wrong_one_cannot_be_read(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"a.png": b"pixels", "b.png": b"others"}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    second = content.rindex(b"PK\x01\x02")
    content[second + 42 : second + 46] = bytes(4)  # the second entry leads to the first member
    path.write_bytes(content)
    first, other = sources_of(path)
    assert first.read_bytes() == b"pixels"
    assert code_of(other) == "archive-damaged"
    assert first.stamp != other.stamp


def test_a_damaged_member_of_any_compression_is_a_row(tmp_path: Path) -> None:
    for compression in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        path = pack(tmp_path / f"{compression}.zip", {"a.png": os.urandom(500)}, compression)
        content = bytearray(path.read_bytes())
        content[60:200] = b"\xff" * 140
        path.write_bytes(content)
        (source,) = sources_of(path)
        assert code_of(source) == "archive-damaged"


def test_a_dictionary_larger_than_any_packer_makes_is_refused_before_room_is_made_for_it(
    tmp_path: Path,
) -> None:
    path = pack(tmp_path / "a.zip", {"a.png": os.urandom(500)}, zipfile.ZIP_LZMA)
    content = bytearray(path.read_bytes())
    at = content.index(b"a.png") + len("a.png") + 5  # behind version, size and the first property
    content[at : at + 4] = b"\xf0\xff\xff\xff"
    path.write_bytes(content)
    (source,) = sources_of(path)
    assert code_of(source) == "too-large"


def without_names(path: Path) -> Path:
    """The zip file with the one-letter names of its members taken away."""
    content = path.read_bytes()
    start = content.index(b"PK\x01\x02")
    local, central, end = content[:start], content[start : content.index(b"PK\x05\x06")], content[-22:]
    local = local[:26] + b"\0\0" + local[28:30] + local[31:]
    central = central[:28] + b"\0\0" + central[30:46]
    end = end[:12] + struct.pack("<II", len(central), len(local)) + end[20:]
    path.write_bytes(local + central + end)
    return path


def test_a_member_without_a_name_is_a_film_like_others(tmp_path: Path) -> None:
    path = without_names(pack(tmp_path / "a.zip", {"a": b"1"}))
    (source,) = sources_of(path)
    assert source.file == f"{path}!"
    assert source.read_bytes() == b"1"


def with_long_records(path: Path, *, offset: bytes) -> Path:
    """The zip file with the records of a long one (APPNOTE 4.3.14, 4.3.15), which lies at this offset."""
    content = path.read_bytes()
    body, end = content[:-22], content[-22:]
    members, size = struct.unpack_from("<HI", end, 10)
    record = struct.pack("<4sQHHIIQQQ8s", b"PK\6\6", 44, 45, 45, 0, 0, members, members, size, offset)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, len(body), 1)
    path.write_bytes(body + record + locator + end[:8] + b"\xff" * 4 + end[12:])
    return path


@pytest.mark.parametrize("kind", ["plain", "hidden", "long", "long, hidden", "long, moved"])
def test_a_list_of_too_many_members_is_refused_before_it_is_read(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pack(tmp_path / "a.zip", {f"{number}.png": b"" for number in range(20)})
    if kind == "hidden":  # behind what looks like a later record, which is cut short
        path.write_bytes(path.read_bytes()[:-6] + b"PK\5\6" + b"\0\0")
    if kind.startswith("long"):
        with_long_records(path, offset=b"PK\6\6" + bytes(4) if "hidden" in kind else bytes(8))
    if "moved" in kind:  # bytes before the first member
        path.write_bytes(b"film" + path.read_bytes())
    monkeypatch.setattr(archives, "MAX_MEMBERS", 10)
    monkeypatch.setattr(archives, "_opened", lambda _: pytest.fail("it was read"))
    with pytest.raises(UnreadableFilmError, match="at most 10 ") as caught:
        archives.list_members(path)
    assert caught.value.code == "too-large"
