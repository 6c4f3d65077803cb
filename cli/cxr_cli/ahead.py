"""What a scan needs in any case starts while the command line is still being read."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from pathlib import Path

WORK = "cxr_runtime.scanning.answers:Examining"  # of its workers
_OTHERWISE = ("--help", "--cluster", "--dated")  # such a scan has no workers here, or may find nothing to do


def processes_of(arguments: Sequence[str]) -> AbstractContextManager[None]:
    """The opener and the first workers of a scan; nothing for another command, or where a scan went before.

    A scan that finds all its films finished needs no worker.

    Args:
        arguments: as typed after the program's name.
    """
    is_scan, words = arguments[:1] == ["scan"], arguments[1:]
    if not is_scan or any(word.startswith(_OTHERWISE) for word in words) or _went_before(words):
        return nullcontext()
    from cxr_runtime.workers.starting import ahead

    return ahead(WORK)


def _went_before(words: Sequence[str]) -> bool:
    """Whether a store lies where the results go; INPUTs themselves are not touched, for a share may hang."""
    from cxr_cli.settings import has_settings
    from cxr_runtime.files import STORE_FILE

    named = [next_word for word, next_word in pairwise([*words, ""]) if word == "--out"]
    named += [word.removeprefix("--out=") for word in words if word.startswith("--out=")]
    if not named and has_settings():  # they may name the folder
        return True
    inputs = [Path(word).absolute() for word in words]
    beside = [path.with_name(f"{path.name}-cxr-triage") for path in inputs if path.name]
    return any((folder / STORE_FILE).is_file() for folder in (map(Path, named) if named else beside))
