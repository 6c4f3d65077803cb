"""Zip files of films: listed and read in place, never unpacked to the disk."""

import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.sources.disk import disk_failure

MAX_MEMBERS = 100_000
MAX_DIRECTORY_BYTES = 1 << 25  # of the list of members
END, END_64 = b"PK\x05\x06", b"PK\x06\x06"  # what the records behind the list begin with
END_BYTES, LOCATOR_BYTES, END_64_BYTES = 22, 20, 56
MAX_END = END_BYTES + 65535 + LOCATOR_BYTES  # bytes of the records, with the longest comment
MAX_TOTAL_BYTES = 1 << 40  # of all members together, unpacked
MAX_MEMBER_BYTES = 1 << 30  # of one member, unpacked
MAX_RATIO = 200  # unpacked to packed size; real films stay below 50
MAX_DICTIONARY = 256 << 20  # bytes; packers use up to 64 MiB, and no more than the member has
_LOCAL_HEADER = 30  # bytes before a member's name (PKWARE APPNOTE 4.3.7)
CHUNK = 1 << 20  # bytes that are unpacked at a time
FREE_BYTES = 16 << 20  # up to this unpacked size a member's ratio does not matter
ENCRYPTED = 0x1  # bit of a member's flags


@dataclass(frozen=True)
class Member:
    """One file in a zip file: name and offset together are of no other."""

    name: str  # with its path in the zip file
    offset: int  # of its header
    size: int  # bytes, unpacked, as the zip file states them


def is_zip(name: str) -> bool:
    """Whether this is a zip file by its name."""
    lower = name.lower()
    return lower.endswith(".zip") and lower != ".zip" and not lower.endswith("/.zip")


def list_members(path: Path) -> list[Member]:
    """A zip file's members, folders left out, sorted by name; members of one name are all listed.

    Raises:
        UnreadableFilmError: the zip file is damaged, beyond the limits, or cannot be read.
    """
    with _failures():
        _check_directory(path)
        # An empty name is a member's, too; zipfile's own is_dir does not know that.
        infos = [info for info in _opened(path)[0].infolist() if not info.filename.endswith("/")]
    total = sum(info.file_size for info in infos)
    if len(infos) > MAX_MEMBERS or total > MAX_TOTAL_BYTES:
        holds = f"the zip file holds {len(infos)} files of {total >> 20} MiB"
        if len(infos) == 1:
            holds = f"the zip file holds 1 file of {total >> 20} MiB"
        raise UnreadableFilmError(
            "too-large",
            f"{holds}; at most {MAX_MEMBERS} of {MAX_TOTAL_BYTES >> 20} MiB are read: unpack it and scan the "
            "folder",
        )
    members = [Member(info.filename, info.header_offset, info.file_size) for info in infos]
    return sorted(members, key=lambda member: (member.name, member.offset))


def _check_directory(path: Path) -> None:
    """Refuse a list of members that is too long, before it is read (APPNOTE 4.3.14 to 4.3.16)."""
    with path.open("rb") as file:
        stated = list(_stated(file))
    members, length = (max(numbers, default=0) for numbers in zip(*stated, strict=True)) if stated else (0, 0)
    if members > MAX_MEMBERS or length > MAX_DIRECTORY_BYTES:
        lists = f"the zip file lists {members} files in {length >> 20} MiB"
        if members == 1:
            lists = f"the zip file lists 1 file in {length >> 20} MiB"
        raise UnreadableFilmError(
            "too-large",
            f"{lists}; at most {MAX_MEMBERS} in {MAX_DIRECTORY_BYTES >> 20} MiB are read: unpack it and scan "
            "the folder",
        )


def _stated(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Members, and bytes of their list, by every record that a reader might take for the last one."""
    size = file.seek(0, os.SEEK_END)
    start = file.seek(max(0, size - MAX_END))
    tail = file.read()
    for at in {len(tail) - END_BYTES, tail.rfind(END)}:
        if at < 0 or not tail.startswith(END, at) or len(tail) < at + END_BYTES:
            continue  # zipfile says what is wrong
        yield struct.unpack_from("<HI", tail, at + 10)
        places = [start + at - LOCATOR_BYTES - END_64_BYTES]
        if at >= LOCATOR_BYTES:
            places.append(struct.unpack_from("<Q", tail, at - LOCATOR_BYTES + 8)[0])
        for place in places:
            if 0 <= place < size:
                file.seek(place)
                record = file.read(END_64_BYTES)
                if record.startswith(END_64) and len(record) == END_64_BYTES:
                    yield struct.unpack_from("<QQ", record, 32)


def member_chunks(path: Path, member: Member) -> Iterator[bytes]:
    """Unpack one member, piece by piece.

    Raises:
        UnreadableFilmError: `unsafe-name`, `encrypted`, `too-large`, `archive-damaged`, or what the zip file
            itself cannot be read for.
    """
    if _leads_outside(member.name):
        raise UnreadableFilmError(
            "unsafe-name", "its name leads outside of the zip file; pack the films again with plain names"
        )
    with _failures():
        archive, members = _opened(path)
        info = members[member.name, member.offset]
        _check_member(info)
        if info.compress_type == zipfile.ZIP_LZMA:
            _check_dictionary(path, info)
        with archive.open(info) as file:
            while chunk := file.read(CHUNK):
                yield chunk


def _check_member(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & ENCRYPTED:
        raise UnreadableFilmError("encrypted", "it is encrypted in the zip file; unpack it and scan again")
    ratio = info.file_size / max(info.compress_size, 1)
    if info.file_size > MAX_MEMBER_BYTES or (info.file_size > FREE_BYTES and ratio > MAX_RATIO):
        raise UnreadableFilmError(
            "too-large",
            f"it unpacks to {info.file_size >> 20} MiB, {ratio:.0f} times its packed size; at most "
            f"{MAX_MEMBER_BYTES >> 20} MiB and {MAX_RATIO} times are read: unpack it and scan the folder",
        )


def _check_dictionary(path: Path, info: zipfile.ZipInfo) -> None:
    """Refuse an LZMA member whose dictionary is larger than any packer makes: room is made for all of it."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        name, extra = struct.unpack_from("<HH", file.read(_LOCAL_HEADER).ljust(_LOCAL_HEADER, b"\0"), 26)
        file.seek(name + extra, os.SEEK_CUR)
        stated = file.read(9).ljust(
            9, b"\0"
        )  # version, size of what follows, properties (PKWARE APPNOTE 5.8.8)
    (dictionary,) = struct.unpack_from("<I", stated, 5)
    if dictionary > MAX_DICTIONARY:
        raise UnreadableFilmError(
            "too-large",
            f"its LZMA dictionary has {dictionary >> 20} MiB; at most {MAX_DICTIONARY >> 20} MiB are read: "
            "unpack it and scan the folder",
        )


def _leads_outside(name: str) -> bool:
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    return posix.is_absolute() or bool(windows.anchor) or ".." in windows.parts


_Members = dict[tuple[str, int], zipfile.ZipInfo]  # by name and offset


def _opened(path: Path) -> tuple[zipfile.ZipFile, _Members]:
    """The zip file and its members, kept open: the list of members is long to read."""
    status = path.stat()
    return _open(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=1)
def _open(path: Path, _size: int, _mtime_ns: int) -> tuple[zipfile.ZipFile, _Members]:
    archive = zipfile.ZipFile(path)
    return archive, {(info.filename, info.header_offset): info for info in archive.infolist()}


@contextmanager
def _failures() -> Iterator[None]:
    """Word what goes wrong in a zip file."""
    try:
        yield
    except KeyError as error:
        raise UnreadableFilmError("missing", "it is not in the zip file any more; scan again") from error
    except NotImplementedError as error:
        raise UnreadableFilmError(
            "unsupported", f"the zip file cannot be unpacked ({error}); unpack it and scan the folder"
        ) from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, RuntimeError) as error:
        raise _damaged() from error
    except OSError as error:
        if error.errno is None:  # bzip2 says so that a member is damaged
            raise _damaged() from error
        raise disk_failure(error, "zip file") from error


def _damaged() -> UnreadableFilmError:
    sentence = "the zip file is damaged; copy it again, or repair it and scan the folder"
    return UnreadableFilmError("archive-damaged", sentence)
