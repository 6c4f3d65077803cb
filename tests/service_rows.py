"""What tests of services ask of an output folder while a service writes it."""

from pathlib import Path

from cxr_runtime.errors import StoreError
from cxr_runtime.store.store import Store


def rows_of(out: Path) -> int:
    """How many films have a row; 0 before there is a store."""
    try:
        with Store.open(out) as store:
            return len(list(store.outcomes(None)))
    except StoreError:
        return 0


def by_bytes(rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    """Rows by sha256, without the name; each is there once."""
    found = {row["sha256"]: {name: text for name, text in row.items() if name != "file"} for row in rows}
    assert len(found) == len(rows)
    return found
