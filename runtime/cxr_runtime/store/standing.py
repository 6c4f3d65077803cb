"""What stands as the latest run left it: blocks of films that are known together, and a run that is repeated.

A block is films that a run listed one after the other, under one seal: it vouches for a thousand films where
each row's own seal would have to be checked. No film counts as finished without its seal even so. A block is
made only of rows and places whose own seals were found right in the same pass, and it holds a digest of all
that these seals are of, and of the seals themselves. Whatever is changed in the store afterwards gives
another digest: then the films are asked for one by one, as if there were no block.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cxr_runtime.seals import rows_digest, sealed_place
from cxr_runtime.store.checks import sealed_outcome
from cxr_runtime.store.rows import FINGERPRINT, PLACE, RESULT, SEALED_COLUMNS, KnownFilm, Place
from cxr_runtime.store.sqlite import transaction
from cxr_runtime.store.writer import StoreWriter

BLOCK, COUNTED = "block", "counted"  # kinds of sealed rows
_COLUMNS = ("places.file", "places.stamp", "places.seal", "results.id", "results.seal")
_IS_LASTING = SEALED_COLUMNS.index("is_lasting")
_ROWS = (
    f"SELECT {', '.join((*_COLUMNS, *(f'results.{column}' for column in SEALED_COLUMNS)))}"
    " FROM places JOIN results ON results.id = places.result"
    " WHERE places.run = ? AND places.position BETWEEN ? AND ? ORDER BY places.position"
)
_COPY = (
    "INSERT OR REPLACE INTO places (run, position, file, stamp, result, seal)"
    " SELECT ?, position, file, stamp, result, seal FROM places WHERE run = ? AND position BETWEEN ? AND ?"
)
_NOTE = "INSERT OR REPLACE INTO blocks (listing, run, first, last, content, seal) VALUES (?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True)
class Block:
    """Films of a run, one after the other, none left out."""

    listing: str  # digest of their names and stamps, and of what decides their rows
    first: int  # position in the run
    last: int


class Standing:
    """Asks a store for what stands in it, and notes what does.

    Args:
        store: of the output folder.
        fingerprint: of what decides the rows.
        judged: what decides beside it how they are judged: a row that is judged otherwise is in no block.
        run: that goes on.
    """

    def __init__(self, store: StoreWriter, fingerprint: str, judged: str, run: int) -> None:
        self._store, self._sealer = store, store._sealer
        self._fingerprint, self._judged, self.run = fingerprint, rows_digest([judged]), run
        found = next(store._rows("SELECT max(id) FROM runs WHERE id < ?", run))
        self.before = int(found[0] or 0)  # the run before this one; 0: there is none
        self._moved = list[tuple[Block, str]]()  # known blocks of other runs, and their digests

    def block(self, places: Sequence[Place]) -> Block:
        """The block of these places, which are one after the other."""
        listing = self._listing((place.file, place.stamp) for place in places)
        return Block(listing, places[0].position, places[-1].position)

    def known(self, block: Block, places: Sequence[Place]) -> list[KnownFilm] | None:
        """The films of a block, if all were finished before, their files stand, and so do their rows.

        Raises:
            StoreError: the store is damaged.
        """
        query = "SELECT run, first, last, content, seal FROM blocks WHERE listing = ?"
        for *stated, seal in self._store._rows(query, block.listing):
            run, first, last, content = stated
            if not self._sealer.is_right(seal, BLOCK, (block.listing, *stated)):
                return None
            rows = list(self._store._rows(_ROWS, run, first, last))
            if len(rows) == len(places) and rows_digest(rows) == content:
                is_repeated = (run, first) == (self.before, block.first)
                if not is_repeated:
                    self._moved.append((block, content))
                return [_known(*one, is_repeated) for one in zip(places, rows, strict=True)]
        return None

    def vouch(self, blocks: Sequence[Block]) -> None:
        """Note blocks of this run, but those with a row that bears no right seal, or is to be tried again.

        Args:
            blocks: those that were not known.

        Raises:
            StoreError: the disk is full, or the store is damaged.

        Others may write while seals are checked, which takes long: what they change gives another digest.
        """
        found = [(block, content) for block in blocks if (content := self._content(block))]
        with transaction(self._store._db, self._store.name):
            for block, content in (*found, *self._moved):
                self._note(block, content)

    def repeat(self, spans: Sequence[tuple[int, int]]) -> None:
        """Give this run the places of the run before it, from one position to another.

        Raises:
            StoreError: the disk is full, or the store is damaged.
        """
        with transaction(self._store._db, self._store.name):
            for span in spans:
                self._store._db.execute(_COPY, (self.run, self.before, *span))

    def continue_before(self, films: int) -> bool:
        """Take this run back, which has no places, if the run before it has so many: it is continued.

        Raises:
            StoreError: the disk is full, or the store is damaged.
        """
        query = "SELECT count(*) FROM places WHERE run = ?"
        ((places,),) = self._store._rows(query, self.before)
        if places != films:
            return False
        with transaction(self._store._db, self._store.name):
            self._store._db.execute("DELETE FROM runs WHERE id = ?", (self.run,))
        self.run = self.before
        return True

    def counted(self) -> str | None:
        """What `note_counted` kept of this run."""
        query = "SELECT counted, counted_seal FROM runs WHERE id = ?"
        ((text, seal),) = self._store._rows(query, self.run)
        return text if self._sealer.is_right(seal, COUNTED, (self.run, text)) else None

    def note_counted(self, text: str) -> None:
        """Keep what its reports say of all films of this run, for a run that repeats it.

        Raises:
            StoreError: the disk is full.
        """
        with transaction(self._store._db, self._store.name):
            seal = self._sealer.seal(COUNTED, (self.run, text))
            command = "UPDATE runs SET counted = ?, counted_seal = ? WHERE id = ?"
            self._store._db.execute(command, (text, seal, self.run))

    def _content(self, block: Block) -> str:
        """Digest of a block of this run whose rows all bear right seals; "" where they do not."""
        rows = list(self._store._rows(_ROWS, self.run, block.first, block.last))
        is_whole = len(rows) == block.last - block.first + 1 and all(map(self._is_right, rows))
        return (
            rows_digest(rows) if is_whole and self._listing(row[:2] for row in rows) == block.listing else ""
        )

    def _note(self, block: Block, content: str) -> None:
        stated = (block.listing, self.run, block.first, block.last, content)
        self._store._db.execute(_NOTE, (*stated, self._sealer.seal(BLOCK, stated)))

    def _is_right(self, row: Sequence[Any]) -> bool:
        """Whether a place and its row bear right seals, and say that the film was finished."""
        file, stamp, place_seal, _, seal, *values = row
        if not stamp or not values[_IS_LASTING] or values[FINGERPRINT] != self._fingerprint:
            return False
        of_place = sealed_place(stamp, file, values[0], self._fingerprint)
        is_place = self._sealer.is_right(place_seal, PLACE, of_place)
        return is_place and self._sealer.is_right(seal, RESULT, values)

    def _listing(self, films: Iterable[tuple[Any, ...]]) -> str:
        return rows_digest([self._fingerprint, self._judged, *films])


def _known(place: Place, row: Sequence[Any], is_repeated: bool) -> KnownFilm:
    _, _, place_seal, result, _, *values = row
    return KnownFilm(place, result, sealed_outcome(place.file, values), place_seal, is_repeated)
