"""Pictures of commands in a terminal: what they print, set in the letters of a terminal."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from cxr_runtime.errors import CxrTriageError

if TYPE_CHECKING:
    from playwright.sync_api import Page

COLUMNS = 100  # of the terminal
PATIENCE = 300  # seconds until an appliance has done its films
_START = "import sys; from cxr_cli import start; sys.argv[0] = 'cxr-triage'; start()"
_PAGE = """<!doctype html><meta charset="utf-8"><style>body {{ margin: 0 }}
pre {{ display: inline-block; margin: 0; padding: 16px 20px; background: #14181d; color: #dfe5ea;
font: 15px/1.45 "DejaVu Sans Mono", monospace }} b {{ color: #8fd0ff; font-weight: normal }}</style>
<pre><b>$ {typed}</b>
{printed}</pre>"""
_ROWS = ("codecs", "worker")  # of the doctor's table: what protects a scan
_CLINIC = '[watch]\nfolders = ["films"]\n'


def terminal_pictures(films: Path, folder: Path, page: "Page") -> dict[str, bytes]:
    """What an appliance that has done its films says of its health, and what the doctor says, as PNG.

    Args:
        films: a folder of films that may be shown.
        folder: an empty one, for the appliance.
        page: of a browser.

    Raises:
        CxrTriageError: the appliance does not do the films.
    """
    shutil.copytree(films, folder / "films", ignore=shutil.ignore_patterns("*.py"))
    (folder / "clinic.toml").write_text(f'out = "results"\n{_CLINIC}', encoding="utf-8")
    with _appliance(folder):
        health = _picture(page, folder, ("appliance", "clinic.toml", "--health"))
    return {"health.jpg": health, "doctor.jpg": _picture(page, folder, ("doctor",), _ROWS)}


@contextmanager
def _appliance(folder: Path) -> Iterator[None]:
    """An appliance runs, and has done the films."""
    process = subprocess.Popen(
        _command(("appliance", "clinic.toml")),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + PATIENCE
        while not _is_done(folder / "results" / "health.json"):
            if time.monotonic() > until or process.poll() is not None:
                raise CxrTriageError("the appliance did not do the films; run it yourself to see why")
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _is_done(health: Path) -> bool:
    if not health.is_file():
        return False
    said = json.loads(health.read_bytes())
    return bool(said["films"] and not said["waiting"])


def _picture(page: "Page", folder: Path, words: Sequence[str], rows: tuple[str, str] | None = None) -> bytes:
    """A command and what it prints, or the lines of that from one row to another."""
    done = subprocess.run(
        _command(words), cwd=folder, capture_output=True, text=True, encoding="utf-8", check=True,
        env={**os.environ, "COLUMNS": str(COLUMNS), "PYTHONIOENCODING": "utf-8"}, timeout=PATIENCE,
    )  # fmt: skip
    lines, piped = done.stdout.rstrip().splitlines(), ""
    if rows is not None:
        first, last = (next(at for at, line in enumerate(lines) if line.startswith(row)) for row in rows)
        lines, piped = lines[first : last + 1], f" | sed -n '/^{rows[0]}/,/^{rows[1]}/p'"
    typed = f"cxr-triage {' '.join(words)}{piped}"
    page.set_content(_PAGE.format(typed=escape(typed), printed=escape("\n".join(lines))))
    return page.locator("pre").screenshot()


def _command(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-c", _START, *words]
