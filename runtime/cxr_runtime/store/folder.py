"""The folder a scan writes into: its name, its making, and the lock that keeps a second scan out."""

import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from cxr_runtime.access import PRIVATE, Access, make_folder, share
from cxr_runtime.atomic import PART_SUFFIX
from cxr_runtime.errors import StoreError
from cxr_runtime.files import (
    DICOM_FOLDER,
    HEATMAPS_FOLDER,
    REPORT_FILE,
    RESULTS_FILE,
    STORE_FILE,
    WORKLIST_FILE,
    beside,
)
from cxr_runtime.names import printable

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_LOCK_FILE = ".scan.lock"
_STORE_FILES = (STORE_FILE, f"{STORE_FILE}-wal", f"{STORE_FILE}-shm", f"{STORE_FILE}-journal")
_REPORTS = (RESULTS_FILE, WORKLIST_FILE, REPORT_FILE)
_NAMES = "|".join(re.escape(name) for name in (*_REPORTS, *(beside(Path(one)).name for one in _REPORTS)))
_NAMES += r"|.+\.(?:png|npz|dcm)"
_LEFT_OVER = re.compile(rf"\.(?:{_NAMES})\.\d+\.\d+{re.escape(PART_SUFFIX)}")  # of atomic.replacing


def default_output_folder(first_input: str) -> Path:
    """`NAME-cxr-triage` beside the first INPUT, `NAME` being its own name."""
    first = Path(first_input).absolute()
    named = first if first.name else first.resolve()
    return named.with_name(f"{named.name or 'films'}-cxr-triage")


def has_store(folder: Path) -> bool:
    """Whether a store lies in a folder, by its name; `Store.open` says whether it can be used."""
    return (folder / STORE_FILE).is_file()


def day_of(folder: Path) -> str:
    """The day that a folder of `--dated` is of, as its name has it; "" of any other folder."""
    return folder.name if _DAY.fullmatch(folder.name) else ""


def days_of(out: Path) -> list[Path]:
    """Folders of days with a store, as `--dated` makes them; the earliest first."""
    if not out.is_dir():
        return []
    return sorted(path for path in out.iterdir() if day_of(path) and has_store(path))


def about_days(out: Path) -> str:
    """What to do with a folder of folders of days where one store is expected; "" of any other folder."""
    days = [] if has_store(out) else days_of(out)
    if not days:
        return ""
    shown, latest = printable(str(out)), printable(str(days[-1]))
    return (
        f"{shown} holds {len(days)} folders of days, each with its own verdicts and accounts; expected one "
        f"store: give {latest}, or join them by `cxr-triage merge {shown}/*-*-* --out NEW`"
    )


def folders_with_stores(out: Path) -> list[Path]:
    """An output folder and those of its days, as far as they hold a store by now; the latest last."""
    return [*days_of(out), *([out] if has_store(out) else [])]


@contextmanager
def held(folder: Path, access: Access = PRIVATE) -> Iterator[None]:
    """Make the folder and hold it for one scan; what a scan that was killed left half written is removed.

    Args:
        folder: of the output.
        access: who may read it; a group may also read what is there already.

    Raises:
        StoreError: it cannot be made or written, another scan holds it, or a link lies in it where the scan
            would write.
    """
    heatmaps = folder / HEATMAPS_FOLDER
    try:
        make_folder(folder, access)
        refuse_links(folder)
        make_folder(heatmaps, access)
        lock = FileLock(folder / _LOCK_FILE, mode=PRIVATE.file_mode)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise StoreError(
            f"{folder} is in use by another scan; wait until it ends, or scan with --out and another folder"
        ) from error
    except OSError as error:
        raise _not_writable(folder, error) from error
    try:
        try:
            _sweep(folder)
            if access.group is not None:
                _share_files(folder, access)
        except OSError as error:
            raise _not_writable(folder, error) from error
        yield
    finally:
        lock.release()


def _not_writable(folder: Path, error: OSError) -> StoreError:
    reason = error.strerror or type(error).__name__
    return StoreError(f"{folder} cannot be written ({reason}); scan with --out and a folder that can")


def refuse_links(folder: Path) -> None:
    """Nothing is written or read through a link, or into a pipe, that somebody has put into the folder.

    Raises:
        StoreError: there is one where a scan would write.
    """
    folders = dict.fromkeys((HEATMAPS_FOLDER, DICOM_FOLDER), stat.S_ISDIR)
    kinds = {**folders, **dict.fromkeys((_LOCK_FILE, *_STORE_FILES), stat.S_ISREG)}
    for name, is_right in kinds.items():
        try:
            mode = (folder / name).lstat().st_mode
        except FileNotFoundError:
            continue
        if not is_right(mode):
            expected = "a folder" if name in folders else "a plain file"
            raise StoreError(
                f"{folder / name} is {_kind(mode)}, expected {expected} that a scan has made: remove it, or "
                "scan with --out and a new folder"
            )


def _kind(mode: int) -> str:
    names = {stat.S_IFLNK: "a link", stat.S_IFDIR: "a folder", stat.S_IFREG: "a file"}
    return names.get(stat.S_IFMT(mode), "a pipe, device or socket")


def _sweep(folder: Path) -> None:
    for place in (folder, folder / HEATMAPS_FOLDER, folder / DICOM_FOLDER):
        for path in place.glob("*"):
            if _LEFT_OVER.fullmatch(path.name):
                path.unlink(missing_ok=True)


def _share_files(folder: Path, access: Access) -> None:
    """Let the group at what earlier scans wrote for their owner alone."""
    pictures = [path for path in (folder / HEATMAPS_FOLDER).iterdir() if path.suffix in (".png", ".npz")]
    results = (folder / DICOM_FOLDER).glob("*.dcm")
    for path in (*(folder / name for name in (*_STORE_FILES, *_REPORTS)), *pictures, *results):
        if path.is_file() and not path.is_symlink():
            with suppress(FileNotFoundError):  # a log that another program closes
                share(path, access)
