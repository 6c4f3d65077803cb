"""Films that were finished before: asked for one by one, or together where they are listed in a row.

Where the latest run had listed the very same films, and all of them stand, that run is continued: nothing
is noted of any film, and nothing is counted again.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

from cxr_runtime.reports.publishing import Counted
from cxr_runtime.scanning.study import StudyParts
from cxr_runtime.sources.film_list import FilmList
from cxr_runtime.sources.film_source import FilmSource
from cxr_runtime.store.rows import FinishedFilm, KnownFilm, Place, SeenFilm
from cxr_runtime.store.standing import Block, Standing
from cxr_runtime.store.writer import StoreWriter
from cxr_runtime.typed_json import from_json, to_json

LEAST = 256  # films of a list that is worth it
USUAL = 1024  # films of a block
MOST = 4 * USUAL


@dataclass
class FinishedBefore:
    """Asks for films that were finished before, and counts them."""

    store: StoreWriter
    fingerprint: str  # of what decides their rows
    study: StudyParts | None  # what else must be there of each; None: nothing
    earlier: Container[str]  # stamps and digests of films whose rows are in other stores
    is_forced: bool  # all films are done anew
    finished: int = 0  # films so far that an earlier run had finished
    seen: int = 0  # films so far whose row is elsewhere, or stands as it is

    @property
    def are_all_here(self) -> bool:
        """Whether a film that stands has its row in this store, and needs nothing beside it."""
        return not (self.is_forced or self.study or self.earlier)

    def at(self, place: Place) -> KnownFilm | SeenFilm | None:
        """The film at a place, if its file stands as it was finished before."""
        if self.is_forced:
            return None
        if place.stamp in self.earlier:
            return self._counted(SeenFilm(place))
        known = self.store.known(place, self.fingerprint)
        return self._counted(known if self.study is None else self.study.whole(known))

    def of_bytes(self, place: Place, sha256: str) -> KnownFilm | SeenFilm | None:
        """The film of these bytes, if it was finished before, by now."""
        if self.is_forced:
            return None
        if sha256 in self.earlier:
            return self._counted(SeenFilm(place))
        known = self.store.known_by_bytes(place, sha256, self.fingerprint)
        return self._counted(known if self.study is None else self.study.whole(known))

    def _counted(self, found: KnownFilm | SeenFilm | None) -> KnownFilm | SeenFilm | None:
        self.finished += isinstance(found, KnownFilm)
        self.seen += isinstance(found, SeenFilm)
        return found


class StandingFilms(FinishedBefore):
    """The same in a store that earlier sessions filled: a film that stands as it was finished has its row."""

    def at(self, place: Place) -> KnownFilm | SeenFilm | None:
        """The film at a place, whose row there stands as it is."""
        found = super().at(place)
        return found and SeenFilm(place)


@dataclass(frozen=True)
class Said:
    """What the reports say of all films of a run, as long as none of their rows changes."""

    counted: Counted
    foreign: str  # as of `RunFacts`
    likeness: str


class ListedFilms:
    """The films of a run as they are listed, with what is known of them together.

    Args:
        known: asks for films one by one.
        standing: asks for them together.
    """

    def __init__(self, known: FinishedBefore, standing: Standing) -> None:
        self._known, self._standing = known, standing
        self._films = self._together = 0  # so far; of these, those known together
        self.is_settled = False  # no film comes any more
        self._is_new = False  # the films were asked for together, and the run repeats none
        self._new = list[Block]()  # that were not known
        self._spans = list[tuple[int, int]]()  # first and last positions that repeat the run before this one

    def has(self, films: FilmList) -> bool:
        """Whether these films are asked for together: they are many, and a row is all that they need."""
        self._is_new = len(films) >= LEAST and self._known.are_all_here
        return self._is_new

    def known(self, block: Sequence[FilmSource], first: int) -> list[KnownFilm] | None:
        """Films that were listed one after the other, if an earlier run had finished all of them.

        Args:
            block: the films.
            first: position of the first of them.

        Raises:
            StoreError: the store is damaged.
        """
        places = [Place(at, film.file, film.stamp) for at, film in enumerate(block, start=first)]
        asked = self._standing.block(places)
        found = self._standing.known(asked, places)
        self._films += len(places)
        if found is None:
            self._new.append(asked)
            return None
        if found[0].is_repeated:
            self._spans.append((asked.first, asked.last))
        self._together += len(found)
        self._known.finished += len(found)
        return found

    def add(self, run: int, films: Sequence[FinishedFilm | KnownFilm], fingerprint: str) -> None:
        """As `StoreWriter.add`; places that repeat those of the run before this one wait for `settled`."""
        others = [film for film in films if not (isinstance(film, KnownFilm) and film.is_repeated)]
        if others:
            self._known.store.add(run, others, fingerprint)

    def settled(self) -> int:
        """Note the places that wait; the run that continues: this one, or the one before, if it is repeated.

        Once they are noted there is nothing more to do.

        Raises:
            StoreError: the disk is full, or the store is damaged.
        """
        if self.is_settled:
            return self._standing.run
        repeated = sum(last - first + 1 for first, last in self._spans)
        if 0 < self._films == repeated and self._standing.continue_before(repeated):
            self._is_new = False
        elif self._spans:
            self._standing.repeat(self._spans)
        self.is_settled = True
        return self._standing.run

    @property
    def are_judged(self) -> bool:
        """Whether all films were known together, so that none is to be judged anew."""
        return 0 < self._films == self._together

    def vouch(self) -> None:
        """Note the blocks that were not known, now that their films are finished and judged.

        Raises:
            StoreError: the disk is full, or the store is damaged.
        """
        if self._is_new:
            self._standing.vouch(self._new)

    def said(self) -> Said | None:
        """What was kept of the run that continues."""
        text = self._standing.counted()
        try:
            return from_json(text, Said) if text else None
        except ValueError:  # an earlier version kept something else
            return None

    def keep(self, said: Said) -> None:
        """Keep what the reports say of all films of the run, if a later one may repeat it.

        Raises:
            StoreError: the disk is full.
        """
        if self._is_new:
            self._standing.note_counted(to_json(said))


def in_blocks(films: Iterable[FilmSource]) -> Iterator[list[FilmSource]]:
    """Films in blocks of some thousand; where one ends, a name says: a new film changes its own alone."""
    block: list[FilmSource] = []
    for film in films:
        block.append(film)
        if len(block) == MOST or crc32(film.file.encode()) % USUAL == 0:
            yield block
            block = []
    if block:
        yield block
