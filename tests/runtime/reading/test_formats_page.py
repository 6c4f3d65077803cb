"""docs/formats.md names every transfer syntax that is read and every code that a failed film may bear."""

import re
from pathlib import Path

from cxr_runtime.reading.dicom.syntaxes import SYNTAXES
from cxr_runtime.reading.failure import MAX_PIXELS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
RUNTIME = ROOT / "runtime" / "cxr_runtime"
READERS = [path for room in ("reading", "sources") for path in (RUNTIME / room).rglob("*.py")]


def test_every_transfer_syntax_is_in_the_table() -> None:
    for syntax in SYNTAXES.values():
        assert f"| {syntax.name} | {syntax.uid} | {syntax.decoder}" in PAGE


def test_the_codes_of_the_page_are_those_of_the_readers() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in READERS)
    raised = set(re.findall(r'UnreadableFilmError\(\s*"([a-z-]+)"', sources))
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE))
    assert raised == listed


def test_the_limit_of_the_page_is_that_of_the_readers() -> None:
    assert f"{MAX_PIXELS // 1_000_000} megapixels" in PAGE
