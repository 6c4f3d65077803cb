"""What a scan needs in any case starts while the command line is still being read."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

WORK = "cxr_runtime.scanning.answers:Examining"  # of its workers
_OTHERWISE = ("--help", "--cluster", "--dated")  # such a scan has no workers here, or may find nothing to do


def processes_of(arguments: Sequence[str]) -> AbstractContextManager[None]:
    """The opener and the first worker of a scan; nothing for another command, or where a scan went before.

    A scan that finds all its films finished needs no worker.

    Args:
        arguments: as typed after the program's name.
    """
    is_scan, words = arguments[:1] == ["scan"], arguments[1:]
    if not is_scan or any(word.startswith(_OTHERWISE) or _has_store(word) for word in words):
        return nullcontext()
    from cxr_runtime.workers.starting import ahead

    return ahead(WORK)


def _has_store(word: str) -> bool:
    """Whether a word names an output folder with a store, or an INPUT that has one beside it."""
    from cxr_runtime.files import STORE_FILE

    folder = Path(word.removeprefix("--out="))
    default = folder.absolute().with_name(f"{folder.name or 'films'}-cxr-triage")
    return (folder / STORE_FILE).is_file() or (default / STORE_FILE).is_file()
