"""The folder a scan writes into: its name, its making, and the lock that keeps a second scan out."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from cxr_runtime.errors import StoreError
from cxr_runtime.files import HEATMAPS_FOLDER

_LOCK_FILE = ".scan.lock"


def default_output_folder(first_input: str) -> Path:
    """`NAME-cxr-triage` beside the first INPUT, `NAME` being its own name."""
    first = Path(first_input).absolute()
    named = first if first.name else first.resolve()
    return named.with_name(f"{named.name or 'films'}-cxr-triage")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Make the folder and hold it for one scan.

    Raises:
        StoreError: it cannot be made or written, or another scan holds it.
    """
    try:
        (folder / HEATMAPS_FOLDER).mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK_FILE)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise StoreError(
            f"{folder} is in use by another scan; wait until it ends, or scan with --out and another folder"
        ) from error
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be written ({error.strerror}); scan with --out and a folder that can"
        ) from error
    try:
        yield
    finally:
        lock.release()
