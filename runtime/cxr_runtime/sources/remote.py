"""Films in an object store: listed folder by folder, and fetched by the machine that reads them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cxr_runtime.errors import InstallationError, UnreadableFilmError, UsageError, how_to_install
from cxr_runtime.names import printable
from cxr_runtime.sources.archives import is_zip
from cxr_runtime.sources.kinds import is_hidden, is_member_passed_over

CHUNK = 1 << 20  # bytes that are read at a time
MAX_BYTES = 1 << 30  # as of a file on the disk
ZIP_FILE = UnreadableFilmError(
    "zip-remote", "zip files in an object store are not opened; unpack it there, or copy it to a disk"
)


@dataclass(frozen=True)
class RemoteFile:
    """An object in a store that is named by a URL, as `s3://bucket/night/film.dcm`."""

    file: str  # as in results.csv
    url: str
    stamp: str = ""  # changes whenever the object does; "" where the store does not say
    failure: UnreadableFilmError | None = None  # known beforehand

    def read_bytes(self) -> bytes:
        """Fetch it into memory; raises as `chunks` does."""
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """Fetch it piece by piece.

        Raises:
            UnreadableFilmError: `read-error`, `too-large` or `zip-remote`.
        """
        if self.failure is not None:
            raise self.failure
        size = 0
        try:
            with _file_system(self.url) as file:
                while chunk := file.read(CHUNK):
                    size += len(chunk)
                    if size > MAX_BYTES:
                        raise UnreadableFilmError("too-large", f"it has more than {MAX_BYTES >> 20} MiB")
                    yield chunk
        except UnreadableFilmError:
            raise
        except Exception as error:  # libraries of object stores raise what they like
            sentence = f"the object store does not give it ({_reason(error)}); check it and scan again"
            raise UnreadableFilmError("read-error", sentence) from error


def is_url(name: str) -> bool:
    """Whether an INPUT names an object store and no file of this machine."""
    scheme, mark, rest = name.partition("://")
    return bool(mark and rest) and scheme.isalnum()


class RemoteSearch:
    """Gives the films below URLs one after the other, without keeping them."""

    def __init__(self) -> None:
        self.passed_over = 0  # objects so far that cannot be films by name

    def films(self, url: str) -> Iterator[RemoteFile]:
        """The objects below a URL, or the one it names; within a folder sorted by name.

        Raises:
            UsageError: there is nothing of that name, or the store refuses.
            InstallationError: the library for this kind of store is missing.
        """
        files, root = _opened(url)
        try:
            if not files.exists(root):
                raise UsageError(f"{printable(url)} does not exist; expected an object or a folder of them")
            if files.isfile(root):
                yield _found(url, url, files.info(root))
                return
            for folder, folders, objects in files.walk(root, detail=True):
                for name in [name for name in folders if is_hidden(name)]:
                    del folders[name]  # which keeps the walk out of it
                below = str(folder)[len(root.rstrip("/")) :].strip("/")
                start = "/".join(part for part in (url.rstrip("/"), below) if part)
                yield from self._in_folder(start, objects, files.unstrip_protocol)
                if "" in objects:
                    yield from self._in_folder(
                        start, _in_nameless(files, str(folder)), files.unstrip_protocol
                    )
        except (UsageError, UnreadableFilmError):
            raise
        except Exception as error:  # as above
            raise UsageError(f"{printable(url)} cannot be listed ({_reason(error)})") from error

    def _in_folder(
        self, start: str, objects: Mapping[str, Any], url_of: Callable[[str], str]
    ) -> Iterator[RemoteFile]:
        for name in sorted(filter(None, objects)):  # a folder may lie there as an object without a name
            if is_member_passed_over(name):
                self.passed_over += 1
            else:
                yield _found(f"{start}/{name}", url_of(objects[name]["name"]), objects[name])


def _in_nameless(files: Any, folder: str) -> dict[str, Any]:
    """Objects below a folder whose own name is empty, by the rest of their keys, as `/film.dcm`.

    A key as `night//film.dcm` makes one, and no walk enters it. In a listing it looks like the object without
    content by which some programs make a folder.
    """
    return {
        key[len(folder) + 1 :]: facts
        for key, facts in files.find(folder, detail=True, prefix="/").items()
        if facts["type"] == "file"
    }


def _found(shown: str, url: str, facts: dict[str, Any]) -> RemoteFile:
    stamp = printable(str(facts.get("ETag") or facts.get("etag") or facts.get("LastModified") or ""))
    stamp = f"{facts.get('size', '')}-{stamp}" if stamp else ""
    return RemoteFile(printable(shown), url, stamp, ZIP_FILE if is_zip(shown) else None)


def _opened(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path there."""
    try:
        from fsspec.core import url_to_fs

        files, path = url_to_fs(url)
    except ImportError as error:
        raise InstallationError(
            f"{printable(url)} needs a library that is not installed ({error}); {how_to_install('cluster')}"
        ) from error
    except ValueError as error:
        raise UsageError(f"{printable(url)} names no object store that is known ({error})") from error
    return files, str(path)


def _file_system(url: str) -> Any:
    files, path = _opened(url)
    return files.open(path, "rb", cache_type="none")


def _reason(error: Exception) -> str:
    return printable(str(error) or type(error).__name__)[:200]
