"""Pages of docs/ that show measurements: their tables, and which shipped file they are about."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256
from pathlib import Path

from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import UsageError
from cxr_runtime.files import MODEL_FILE
from cxr_runtime.gate.network import GATE_FILE
from cxr_runtime.gate.weighing import WEIGHING_FILE
from cxr_runtime.lungs.atlas import ATLAS_FILE
from cxr_runtime.lungs.field import LUNG_FIELD_FILE
from cxr_runtime.model.folder import DEFAULT_MODEL, open_model
from cxr_train.evaluation.page_tables import accuracy_table, heat_table
from cxr_train.evaluation.tables import with_table


@dataclass(frozen=True)
class Sources:
    """Where measurements lie."""

    runs: Path  # folder of all runs, laid out as the pages say


@dataclass(frozen=True)
class Page:
    """How one page is kept up to date."""

    about: Callable[[], Sequence[Path]]  # shipped files, whose sha256 the page names
    tables: Callable[[Sources], Sequence[str]]  # markdown; each takes the place of the one with its heads


def write_page(name: str, docs: Path, sources: Sources) -> Path:
    """Bring the tables of a page up to date, and the sha256 of what it is about; the text stays.

    Args:
        name: in PAGES.
        docs: folder of the pages.
        sources: what was measured.

    Returns:
        The page's file.

    Raises:
        UsageError: a measurement is missing, or the page has no such table.
    """
    path, page = docs / f"{name}.md", PAGES[name]
    text = reduce(with_table, page.tables(sources), path.read_text(encoding="utf-8"))
    write_bytes(path, reduce(_with_sha256, page.about(), text).encode())
    return path


def _with_sha256(text: str, file: Path) -> str:
    digest = sha256(file.read_bytes()).hexdigest()
    named = rf"(`{re.escape(file.name)}` with the sha256\s+`)[0-9a-f]*(`)"
    return re.sub(named, lambda found: f"{found[1]}{digest}{found[2]}", text)


def _shipped_model() -> list[Path]:
    return [open_model(DEFAULT_MODEL).folder / MODEL_FILE]


def _default_model(sources: Sources) -> list[str]:
    return [
        accuracy_table(sources.runs / "evaluation" / "evaluation.json"),
        heat_table(sources.runs / "figures" / "localisation.json"),
    ]


def _none(_: Sources) -> list[str]:
    """The runs of that page are gone; its tables stay as they were measured."""
    return []


def _table_of(file: str, command: str) -> Callable[[Sources], list[str]]:
    """The table that a command has written among the runs."""

    def read(sources: Sources) -> list[str]:
        path = sources.runs / file
        if not path.is_file():
            raise UsageError(f"{path} is missing; make it with `cxr-triage {command}`")
        return [path.read_text(encoding="utf-8").strip()]

    return read


PAGES = {
    "default-model": Page(_shipped_model, _default_model),
    "tried": Page(_shipped_model, _none),
    "gate": Page(
        lambda: [GATE_FILE, WEIGHING_FILE], _table_of("gate/gate.md", "lab gate ... --out runs/gate")
    ),
    "lung-field": Page(
        lambda: [LUNG_FIELD_FILE, ATLAS_FILE],
        _table_of("lung-field/lung-field.md", "segment-train ... --out runs/lung-field"),
    ),
}
