"""Seals of many rows are checked while others may write, and vouch for nothing that was changed meanwhile."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from cxr_runtime.files import STORE_FILE
from cxr_runtime.seals import Sealer
from cxr_runtime.store.picture_notes import PictureNotes
from cxr_runtime.store.rows import KnownFilm, Place
from cxr_runtime.store.standing import Block, Standing
from cxr_runtime.store.writer import StoreWriter
from drawn_stores import PRINT, Drawn, write_store

FILMS = 5
PLACES = [Place(at, f"{at}.png", f"stamp of {at}.png") for at in range(1, FILMS + 1)]
PICTURES = [(f"heatmaps/{at}.png", f"stamp {at}") for at in range(FILMS)]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return write_store(tmp_path, [Drawn(place.file) for place in PLACES])


@contextmanager
def while_seals_are_checked(what: Callable[[], object]) -> Iterator[list[str]]:
    """Do something at each check of a seal; the kinds of the seals that were checked."""
    checked, is_right = list[str](), Sealer.is_right

    def doing(self: Sealer, seal: str, kind: str, values: object) -> bool:
        answer = is_right(self, seal, kind, values)  # type: ignore[arg-type]
        checked.append(kind)
        what()
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sealer, "is_right", doing)
        yield checked


def write_beside(out: Path, command: str = "") -> None:
    """Write as another program does, which waits for nobody."""
    with closing(sqlite3.connect(out / STORE_FILE, isolation_level=None, timeout=0)) as db:
        db.execute("BEGIN IMMEDIATE")
        db.execute(command or "UPDATE runs SET begun = begun")
        db.execute("COMMIT")


def asked(store: StoreWriter) -> tuple[Standing, Block]:
    standing = Standing(store, PRINT, "", store.last_run())
    return standing, standing.block(PLACES)


def known(out: Path) -> list[KnownFilm] | None:
    with StoreWriter.open(out) as store:
        standing, block = asked(store)
        return standing.known(block, PLACES)


def test_others_may_write_while_the_seals_of_blocks_are_checked(out: Path) -> None:
    with StoreWriter.open(out) as store, while_seals_are_checked(lambda: write_beside(out)) as checked:
        standing, block = asked(store)
        standing.vouch([block])
    assert len(checked) == 2 * FILMS
    assert [film.place for film in known(out) or ()] == PLACES


@pytest.mark.parametrize(
    "command",
    [
        "UPDATE results SET probability = 0.01 WHERE id = 1",
        "UPDATE places SET result = 2 WHERE position = 1",
        "DELETE FROM places WHERE position = 1",
    ],
)
def test_a_row_that_is_changed_while_seals_are_checked_is_not_vouched_for(command: str, out: Path) -> None:
    with (
        StoreWriter.open(out) as store,
        while_seals_are_checked(lambda: write_beside(out, command)) as checked,
    ):
        standing, block = asked(store)
        standing.vouch([block])
    assert checked
    assert known(out) is None


def test_others_may_write_while_the_seals_of_pictures_are_checked(out: Path) -> None:
    with StoreWriter.open(out) as store:
        notes = PictureNotes(store)
        with while_seals_are_checked(lambda: write_beside(out)) as checked:
            notes.note(PICTURES, (), ())
        assert len(checked) >= FILMS
        with while_seals_are_checked(lambda: None) as checked:
            assert notes.stamps() == dict(PICTURES)
        assert len(checked) == 1  # one note vouches for all of them


def test_a_picture_whose_note_is_changed_while_seals_are_checked_is_drawn_again(out: Path) -> None:
    forge = f"UPDATE written SET stamp = 'forged' WHERE name = '{PICTURES[0][0]}'"
    with StoreWriter.open(out) as store:
        notes = PictureNotes(store)
        with while_seals_are_checked(lambda: write_beside(out, forge)):
            notes.note(PICTURES, (), ())
        assert notes.stamps() == dict(PICTURES[1:])
