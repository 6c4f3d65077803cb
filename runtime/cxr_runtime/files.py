"""Files that the product writes: their names and formats, and how they are wholly there or not at all."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from threading import get_ident
from typing import BinaryIO

from cxr_runtime.errors import UsageError

# In the output folder of a scan.
STORE_FILE = "triage.sqlite"  # in it, a store also marks a folder of results, which is never scanned
RESULTS_FILE = "results.csv"
WORKLIST_FILE = "worklist.html"
REPORT_FILE = "report.pdf"
HEATMAPS_FOLDER = "heatmaps"

# In a model's folder.
MODEL_FILE = "model.onnx"
MANIFEST_FILE = "model.json"
CALIBRATION_FILE = "calibration.json"
CARD_FILE = "card.md"

APPLICATION_ID = 0x43585254  # "CXRT", in the header of every store since schema 3
_SQLITE = b"SQLite format 3\0"  # SQLite database file format, 1.3, as the offsets below
_USER_VERSION, _APPLICATION_ID, _HEADER_BYTES = slice(60, 64), slice(68, 72), 100
_VERSIONS_WITHOUT_ID = (1, 2)  # schemas of stores that bear no application id


def is_store(path: Path) -> bool:
    """Whether a file is a store of ours, by its first 100 bytes; another file of that name is not."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError:
        return False
    schema, application = (int.from_bytes(header[at], "big") for at in (_USER_VERSION, _APPLICATION_ID))
    is_ours = application == APPLICATION_ID or (application == 0 and schema in _VERSIONS_WITHOUT_ID)
    return header.startswith(_SQLITE) and is_ours


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of `path` when the block ends without an error.

    Raises:
        OSError: the folder cannot be written, or the disk is full; `path` is then as it was.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file at once, or leave `path` as it was."""
    with replacing(path) as file:
        file.write(content)


class ReportFormat(StrEnum):
    """What `--format` may name."""

    CSV = "csv"  # results.csv
    HTML = "html"  # worklist.html
    PDF = "pdf"  # report.pdf
    PNG = "png"  # heatmaps/NAME.png
    NPZ = "npz"  # heatmaps/NAME.npz


DEFAULT_FORMATS = frozenset(ReportFormat) - {ReportFormat.NPZ}


def parse_formats(listed: str) -> frozenset[ReportFormat]:
    """Read a list like `csv,html`.

    Raises:
        UsageError: it names something else.
    """
    names = [name.strip().lower() for name in listed.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(ReportFormat)]
    if unknown or not names:
        raise UsageError(
            f"--format {listed!r} names {', '.join(unknown) or 'nothing'}; "
            f"choose any of {','.join(ReportFormat)}"
        )
    return frozenset(ReportFormat(name) for name in names)
