"""docs/formats.md names every transfer syntax that is read and every code that a failed film may bear.

docs/gate.md names every code that a rejected one may bear.
"""

import re
from pathlib import Path

from cxr_runtime.benchmark.damaged_films import CODINGS
from cxr_runtime.gate.reasons import Code
from cxr_runtime.reading.dicom.age import OLDEST
from cxr_runtime.reading.dicom.display import LEAST_GREY
from cxr_runtime.reading.dicom.image_pixel import COLOUR, PALETTE, PARTIAL, TOO_LONG
from cxr_runtime.reading.dicom.syntaxes import SYNTAXES
from cxr_runtime.reading.failure import MAX_PIXELS
from cxr_runtime.reading.tiff import CODECS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
GATE_PAGE = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
RUNTIME = ROOT / "runtime" / "cxr_runtime"
READERS = [
    path
    for room in ("cluster", "reading", "scanning", "sources", "workers")
    for path in (RUNTIME / room).rglob("*.py")
]


def test_every_transfer_syntax_is_in_the_table() -> None:
    for syntax in SYNTAXES.values():
        assert f"| {syntax.name} | {syntax.uid} | {syntax.decoder}" in PAGE


def test_the_codes_of_the_page_are_those_of_the_readers() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in READERS)
    raised = set(re.findall(r'UnreadableFilmError\(\s*"([a-z-]+)"', sources))
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE))
    assert raised == listed


def test_the_limits_of_the_page_are_those_of_the_readers() -> None:
    assert f"{MAX_PIXELS // 1_000_000} megapixels" in PAGE
    assert f"{OLDEST} years" in PAGE
    assert f"at least {LEAST_GREY:.0%}".replace("%", " %") in PAGE
    assert f"more than {TOO_LONG:.0%}".replace("%", " %") in PAGE


def test_every_photometric_interpretation_that_is_read_is_on_the_page() -> None:
    assert all(name in PAGE for name in (*COLOUR, PALETTE) if name not in PARTIAL)
    assert "YBR_PARTIAL_420 and _422 (in JPEG)" in PAGE


def test_every_code_of_the_gate_is_on_its_page() -> None:
    table = GATE_PAGE.partition("| code | what it means |")[2].partition("\n\n")[0]
    listed = "".join(row.split("|")[1] for row in table.splitlines() if row.startswith("| `"))
    assert set(re.findall(r"`([a-z0-9-]+)`", listed)) == {code.value for code in Code}


def test_the_codecs_of_tiff_are_those_of_the_page() -> None:
    listed = re.search(r"no other decoder is ever given a file: (.*?)\.", PAGE, re.DOTALL)
    assert listed is not None
    numbers = {int(number) for number in re.findall(r"\d+", listed[1])}
    assert numbers == set(CODECS)
    assert all(name in listed[1] for name in CODECS.values())


def test_the_page_counts_damaged_films_of_every_coding() -> None:
    for coding in CODINGS:
        assert f"| {coding} |" in PAGE
