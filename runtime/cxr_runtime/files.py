"""Files that the product writes: their names, and how they are either wholly there or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import BinaryIO

# In the output folder of a scan.
STORE_FILE = "triage.sqlite"  # also marks a folder of results, which is never scanned
RESULTS_FILE = "results.csv"
WORKLIST_FILE = "worklist.html"
REPORT_FILE = "report.pdf"
HEATMAPS_FOLDER = "heatmaps"

# In a model's folder.
MODEL_FILE = "model.onnx"
MANIFEST_FILE = "model.json"
CALIBRATION_FILE = "calibration.json"
CARD_FILE = "card.md"


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
